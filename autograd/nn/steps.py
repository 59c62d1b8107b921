"""The steps that a `BlockStack` is made of: each knows its parameters and what it computes.

All arrays are those of several networks: activations (networks, batch, units), a weight (networks,
out, in), and what meets a batch (networks, 1, units).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from autograd.engine.grad_mode import no_grad
from autograd.functional.fused import affine, column_norm, polyak_update_, row_norm
from autograd.generator import Generator
from autograd.nn import functional, init
from autograd.nn.linear import draw_linear_
from autograd.tensors.tensor import Tensor

Shapes = dict[str, tuple[int, ...]]


class Mode(NamedTuple):
    """How a stack runs."""

    dropout: Generator | None = None  # draws what is dropped; None: nothing is
    batch_statistics: bool = False  # whether batches are normalised by their own statistics


class Step:
    """A function of activations. The base has no parameters and keeps the number of units."""

    def parts(self, inputs: int) -> Shapes:
        """The parameters of one network, by name."""
        return {}

    def statistics(self, inputs: int) -> Mapping[str, float]:
        """The running statistics, (units,) each, by name, with the value that they start from."""
        return {}

    def outputs(self, inputs: int) -> int:
        """The number of units that come out."""
        return inputs

    def reset(self, parts: Mapping[str, Tensor], generator: Any) -> None:
        """Draw the parameters of one network."""

    def __call__(self, x: Tensor, own: Mapping[str, Tensor], mode: Mode) -> Tensor:
        """Compute the step; `own` are parameters and statistics by name."""
        raise NotImplementedError

    def described(self, own: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
        """What an evaluation of one network does: its kind, and its arrays."""
        raise NotImplementedError


@dataclass(frozen=True)
class Affine(Step):
    """`x @ weight.T + bias`, drawn as `Linear` is."""

    units: int
    bias: bool = True

    def parts(self, inputs: int) -> Shapes:
        shapes: Shapes = {"weight": (self.units, inputs)}
        return {**shapes, "bias": (self.units,)} if self.bias else shapes

    def outputs(self, inputs: int) -> int:
        return self.units

    def reset(self, parts: Mapping[str, Tensor], generator: Any) -> None:
        draw_linear_(parts["weight"], parts.get("bias"), generator=generator)

    def __call__(self, x: Tensor, own: Mapping[str, Tensor], mode: Mode) -> Tensor:
        return affine(x, own["weight"], own.get("bias"))

    def described(self, own: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
        weight = own["weight"]
        return "linear", {"weight": weight, "bias": own.get("bias", weight[:, 0] * 0.0)}


@dataclass(frozen=True)
class Activation(Step):
    """A function of `nn.functional`, by name."""

    name: str

    def __call__(self, x: Tensor, own: Mapping[str, Tensor], mode: Mode) -> Tensor:
        activated: Tensor = getattr(functional, self.name)(x)
        return activated

    def described(self, own: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
        return self.name, {}


@dataclass(frozen=True)
class Dropout(Step):
    """Zeros with probability `p`, the rest scaled to the same mean: where a mode says so."""

    p: float

    def __call__(self, x: Tensor, own: Mapping[str, Tensor], mode: Mode) -> Tensor:
        if mode.dropout is None:
            return x
        return functional.dropout(x, self.p, generator=mode.dropout)


@dataclass(frozen=True)
class Norm(Step):
    """Normalisation over the units of a sample: `layer` to mean 0 and variance 1, or `rms`."""

    kind: Literal["layer", "rms"]
    eps: float = 1e-5

    def parts(self, inputs: int) -> Shapes:
        return {"weight": (inputs,), **({"bias": (inputs,)} if self.kind == "layer" else {})}

    def reset(self, parts: Mapping[str, Tensor], generator: Any) -> None:
        _reset_scale(parts)

    def __call__(self, x: Tensor, own: Mapping[str, Tensor], mode: Mode) -> Tensor:
        is_centred = self.kind == "layer"
        return row_norm(x, own["weight"], own.get("bias"), self.eps, is_centred=is_centred)

    def described(self, own: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
        eps = Tensor._wrap(own["weight"]._array[:1] * 0 + self.eps)
        return f"{self.kind}_norm", {**own, "eps": eps}


@dataclass(frozen=True)
class BatchNorm(Step):
    """Normalisation of each unit over the batch, by its own statistics or by running ones.

    With its own, the running ones move towards them by `momentum`; the variance is that of the
    batch, without a correction for its size. A batch of one row has no statistics: it is normalised
    by the running ones, which stay. Source: Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    momentum: float = 0.01
    eps: float = 1e-5

    def parts(self, inputs: int) -> Shapes:
        return {"weight": (inputs,), "bias": (inputs,)}

    def statistics(self, inputs: int) -> Mapping[str, float]:
        return {"running_mean": 0.0, "running_var": 1.0}

    def reset(self, parts: Mapping[str, Tensor], generator: Any) -> None:
        _reset_scale(parts)

    def __call__(self, x: Tensor, own: Mapping[str, Tensor], mode: Mode) -> Tensor:
        weight, bias, mean, variance = (own[name] for name in (
            "weight", "bias", "running_mean", "running_var"
        ))  # fmt: skip
        if not mode.batch_statistics or x.shape[-2] == 1:
            return (x - mean) * (variance + self.eps).rsqrt() * weight + bias
        if x.dim() == 2:  # the same for all networks so far
            x = x.expand(len(weight), *x.shape)
        weight, bias = self._corrected(x, own)
        out, batch_mean, batch_variance = column_norm(x, weight, bias, self.eps)
        with no_grad():
            polyak_update_(mean, batch_mean, self.momentum)
            polyak_update_(variance, batch_variance, self.momentum)
        return out

    def _corrected(self, x: Tensor, own: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Weight and bias of a batch that is normalised by its own statistics."""
        return own["weight"], own["bias"]

    def described(self, own: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
        # Not folded into one scale and shift: far from 0, the shift would cancel what they say.
        factor = (own["running_var"] + self.eps).rsqrt()
        parts = {"mean": own["running_mean"], "factor": factor}
        return "batch_norm", {**parts, "weight": own["weight"], "bias": own["bias"]}


@dataclass(frozen=True)
class BatchRenorm(BatchNorm):
    """BatchNorm that gives, after `warm_up` batches, nearly what the running statistics would.

    Its result is corrected by r and d, from the batch's statistics to the running ones, as far as
    these differ by no more than a factor of 3 and 5 standard deviations. Source: Ioffe 2017,
    arXiv:1702.03275; limits and warm-up are those of CrossQ, arXiv:1902.05605.
    """

    warm_up: int = 100_000
    largest_r: float = 3.0
    largest_d: float = 5.0

    def statistics(self, inputs: int) -> Mapping[str, float]:
        return {**super().statistics(inputs), "batches": 0.0}

    def _corrected(self, x: Tensor, own: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
        batches = own["batches"]
        with no_grad():
            std = (own["running_var"] + self.eps).sqrt()
            batch_std = (x.var(dim=-2, keepdim=True, correction=0) + self.eps).sqrt()
            r = (batch_std / std).clamp(1 / self.largest_r, self.largest_r)
            d = ((x.mean(dim=-2, keepdim=True) - own["running_mean"]) / std).clamp(
                -self.largest_d, self.largest_d
            )
            is_on = (batches >= self.warm_up).to(x.dtype)
            r, d = 1.0 + is_on * (r - 1.0), is_on * d
            polyak_update_(batches, batches + 1.0, 1.0)
        return own["weight"] * r, own["bias"] + own["weight"] * d


class Fork(Step):
    """The beginning of a residual: what comes in is added where it ends."""

    def described(self, own: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
        return "fork", {}


class Join(Step):
    """The end of a residual."""

    def described(self, own: Mapping[str, Tensor]) -> tuple[str, dict[str, Tensor]]:
        return "join", {}


def residual(*steps: Step) -> Sequence[Step]:
    """Steps whose input is added to their output."""
    return Fork(), *steps, Join()


def _reset_scale(parts: Mapping[str, Tensor]) -> None:
    init.ones_(parts["weight"])
    if "bias" in parts:
        init.zeros_(parts["bias"])
