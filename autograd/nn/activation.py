"""Activations as modules."""

from __future__ import annotations

from typing import Any

from autograd.nn import functional
from autograd.nn.module import Module
from autograd.tensors.tensor import Tensor


class _Activation(Module):
    """What the activations share: their arguments are attributes, and `repr` shows them."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        self._names = tuple(arguments)
        for name, value in arguments.items():
            setattr(self, name, value)

    def extra_repr(self) -> str:
        values = [(name, getattr(self, name)) for name in self._names]
        return ", ".join(f"{name}={v!r}" for name, v in values if name != "inplace" or v)


class ReLU(_Activation):
    """The positive part."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(inplace=inplace)

    def forward(self, input: Tensor) -> Tensor:
        return functional.relu(input, self.inplace)


class LeakyReLU(_Activation):
    """The positive part plus `negative_slope` times the negative one."""

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__(negative_slope=negative_slope, inplace=inplace)

    def forward(self, input: Tensor) -> Tensor:
        return functional.leaky_relu(input, self.negative_slope, self.inplace)


class ELU(_Activation):
    """The positive part, and `alpha * (exp(x) - 1)` for negative x."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(alpha=alpha, inplace=inplace)

    def forward(self, input: Tensor) -> Tensor:
        return functional.elu(input, self.alpha, self.inplace)


class GELU(_Activation):
    """`x` times the standard normal distribution function at x, or an approximation by "tanh"."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__(approximate=approximate)

    def forward(self, input: Tensor) -> Tensor:
        return functional.gelu(input, self.approximate)


class SiLU(_Activation):
    """`x * sigmoid(x)`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__(inplace=inplace)

    def forward(self, input: Tensor) -> Tensor:
        return functional.silu(input, self.inplace)


class Tanh(_Activation):
    """The hyperbolic tangent."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return functional.tanh(input)


class Sigmoid(_Activation):
    """`1 / (1 + exp(-x))`."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return functional.sigmoid(input)


class LogSigmoid(_Activation):
    """The logarithm of the sigmoid."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, input: Tensor) -> Tensor:
        return functional.logsigmoid(input)


class Softplus(_Activation):
    """`log(1 + exp(beta * x)) / beta`; x itself where `beta * x` is above `threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__(beta=beta, threshold=threshold)

    def forward(self, input: Tensor) -> Tensor:
        return functional.softplus(input, self.beta, self.threshold)


class Softmax(_Activation):
    """Exponentials that sum to 1 along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)

    def forward(self, input: Tensor) -> Tensor:
        return functional.softmax(input, self.dim, _stacklevel=5)


class LogSoftmax(_Activation):
    """The logarithm of `Softmax`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__(dim=dim)

    def forward(self, input: Tensor) -> Tensor:
        return functional.log_softmax(input, self.dim, _stacklevel=5)
