"""Activations as modules."""

from __future__ import annotations

from autograd.nn import functional
from autograd.nn.module import Module
from autograd.tensors.tensor import Tensor


class ReLU(Module):
    """The positive part."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.relu(input, self.inplace)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return "inplace=True" if self.inplace else ""


class LeakyReLU(Module):
    """The positive part plus `negative_slope` times the negative one."""

    def __init__(self, negative_slope: float = 1e-2, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.leaky_relu(input, self.negative_slope, self.inplace)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return f"negative_slope={self.negative_slope}{', inplace=True' if self.inplace else ''}"


class ELU(Module):
    """The positive part, and `alpha * (exp(x) - 1)` for negative x."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.elu(input, self.alpha, self.inplace)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return f"alpha={self.alpha}{', inplace=True' if self.inplace else ''}"


class GELU(Module):
    """`x` times the standard normal distribution function at x, or an approximation by "tanh"."""

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.gelu(input, self.approximate)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """`x * sigmoid(x)`."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.silu(input, self.inplace)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return "inplace=True" if self.inplace else ""


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.tanh(input)


class Sigmoid(Module):
    """`1 / (1 + exp(-x))`."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.sigmoid(input)


class LogSigmoid(Module):
    """The logarithm of the sigmoid."""

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.logsigmoid(input)


class Softplus(Module):
    """`log(1 + exp(beta * x)) / beta`; x itself where `beta * x` is above `threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.softplus(input, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Softmax(Module):
    """Exponentials that sum to 1 along `dim`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return f"dim={self.dim}"


class LogSoftmax(Module):
    """The logarithm of `Softmax`."""

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Tensor) -> Tensor:
        """Apply it."""
        return functional.log_softmax(input, self.dim, _stacklevel=5)

    def extra_repr(self) -> str:
        """The arguments that `repr` shows."""
        return f"dim={self.dim}"
