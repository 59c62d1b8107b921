"""The networks of a policy and of a critic, as a configuration describes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from autograd import Tensor, nn
from autograd.nn.steps import (
    Activation,
    Affine,
    BatchNorm,
    BatchRenorm,
    Dropout,
    Norm,
    Step,
    residual,
)

Stack = nn.MLPStack | nn.BlockStack
Described = list[tuple[str, Mapping[str, Tensor]]]  # kind and arrays of each step
WIDENING = 4  # of the hidden layer of a residual block


@dataclass(frozen=True)
class Architecture:
    """The shape of a network, without the sizes of its inputs and outputs.

    `kind`: mlp, simba (Lee et al. 2024, arXiv:2410.09754: residual blocks that begin with a
    LayerNorm) or flashsac (arXiv:2604.04539: inverted residual blocks with BatchNorm). `norm` of an
    mlp: layer or rms, between each hidden layer and its activation (arXiv:2110.02034), or batch or
    batch_renorm, before each layer (arXiv:1902.05605). `unit_rows`: weights have rows of norm 1;
    hidden: but for the outputs'.
    """

    kind: Literal["mlp", "simba", "flashsac"]
    sizes: Sequence[int]
    activation: str
    norm: Literal["none", "layer", "rms", "batch", "batch_renorm"] = "none"
    dropout: float = 0.0
    unit_rows: bool | Literal["hidden"] = False

    def build(
        self,
        inputs: int,
        outputs: int,
        networks: int | None = None,
        *,
        last: Step | None = None,
        name: str | None = None,
        generator: Any = None,
    ) -> Stack:
        """Return the networks, drawn by `generator`; the rest is as in `nn.MLPStack`.

        `last`: a step that gives the outputs, in place of an affine one.
        """
        has_extras = self.norm != "none" or self.dropout or self.unit_rows or last is not None
        if self.kind == "mlp" and not has_extras:
            sizes = [inputs, *self.sizes, outputs]
            return nn.MLPStack(sizes, self.activation, networks, name=name, generator=generator)
        hidden = {"mlp": self._mlp, "simba": self._simba, "flashsac": self._flashsac}[self.kind]()
        return nn.BlockStack(
            inputs,
            [*hidden, Affine(outputs) if last is None else last],
            networks,
            unit_rows=self.unit_rows,
            name=name,
            generator=generator,
        )

    def _mlp(self) -> list[Step]:
        activation, steps = Activation(self.activation), list[Step]()
        before = {"batch": BatchNorm(), "batch_renorm": BatchRenorm()}.get(self.norm)
        for units in self.sizes:
            if before is not None:
                steps.append(before)
            steps.append(Affine(units))
            if self.dropout:
                steps.append(Dropout(self.dropout))
            if self.norm == "layer" or self.norm == "rms":
                steps.append(Norm(self.norm))
            steps.append(activation)
        return steps if before is None else [*steps, before]

    def _simba(self) -> list[Step]:
        units = self.sizes[0]
        block = [
            Norm("layer"),
            Affine(WIDENING * units),
            Activation(self.activation),
            Affine(units),
        ]
        blocks = [step for _ in self.sizes for step in residual(*block)]
        return [Affine(units), *blocks, Norm("layer")]

    def _flashsac(self) -> list[Step]:
        units, activation = self.sizes[0], Activation(self.activation)
        block = [
            *(Affine(WIDENING * units, bias=False), BatchNorm(), activation),
            *(Affine(units, bias=False), BatchNorm(), activation),
        ]
        blocks = [step for _ in self.sizes for step in residual(*block)]
        return [BatchNorm(), Affine(units, bias=False), *blocks, Norm("rms")]


def batch_mode(net: Stack) -> dict[str, Any]:
    """Return the keywords by which a network uses the statistics of a batch, if it ever does."""
    has_statistics = isinstance(net, nn.BlockStack) and net.has_batch_norm
    return {"batch_statistics": True} if has_statistics else {}


def standardises_inputs(net: Stack) -> bool:
    """Return whether a network begins with BatchNorm, which brings its inputs to one size."""
    return isinstance(net, nn.BlockStack) and isinstance(net.steps[0], BatchNorm)


def normalize_rows_(net: Stack) -> None:
    """Scale weights back to rows of norm 1, if the network has such, after an optimizer's step."""
    if isinstance(net, nn.BlockStack):
        net.normalize_rows_()
