"""`MLPStack`: equal multilayer perceptrons whose parameters are one leaf."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograd.backend.layout import StackLayout
from autograd.creation import empty
from autograd.functional.fused import min_mlp, mlp
from autograd.functional.joining import cat
from autograd.nn import functional
from autograd.nn.linear import draw_linear_
from autograd.nn.module import Module
from autograd.nn.parameter import Parameter
from autograd.tensors.tensor import Tensor

ACTIVATIONS = ("relu", "tanh", "elu", "gelu", "leaky_relu", "sigmoid", "silu", "softplus")
FUSED = ("relu", "tanh")  # a network with one of these activations is one node of the graph


class Layer(NamedTuple):
    """Weight and bias of one layer of one network, as views outside the graph."""

    weight: Tensor  # (outputs, inputs)
    bias: Tensor  # (outputs,)


class MLPStack(Module):
    """Multilayer perceptrons of one shape, side by side: hidden layers and a linear output layer.

    All weights and biases are one parameter, `flat` (networks, size), so one call serves an
    optimizer, the update of a target or a norm per network. `state_dict` names its parts one by
    one, as if each layer were a `Linear`.
    """

    flat: Parameter

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str = "relu",
        networks: int | None = None,
        *,
        name: str | None = None,
        generator: Any = None,
    ) -> None:
        """Draw each layer in turn as `Linear` does, network after network.

        Args:
            sizes: Inputs, units of each hidden layer, outputs.
            activation: A function of `nn.functional`, for the hidden layers.
            networks: How many; None is one network, whose outputs are (batch, outputs).
            name: The prefix of `layers.0.weight` in `state_dict`; "{}" in it stands for the number
                of the network. None: "{}." for several, nothing for one.
            generator: Draws the initial values.
        """
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1 or (networks is not None and networks < 1):
            raise ValueError(
                f"MLPStack: expected inputs and outputs, and networks, of at least 1, got sizes "
                f"{list(sizes)} and networks={networks}"
            )
        if activation not in ACTIVATIONS:
            raise ValueError(
                f"MLPStack: expected an activation of {', '.join(ACTIVATIONS)}, got {activation!r}"
            )
        self.activation = activation
        self.is_stack = networks is not None
        self.layout = StackLayout(sizes, networks or 1)
        self.flat = Parameter(empty(self.layout.networks, self.layout.size))
        self._name = ("{}." if self.is_stack else "") if name is None else name
        self._layouts: dict[int, StackLayout] = {}  # of a subset of the networks, by its size
        for network in self.layers():
            for layer in network:
                draw_linear_(layer.weight, layer.bias, generator=generator)

    @property
    def networks(self) -> int:
        """How many networks there are."""
        return self.layout.networks

    def forward(self, *inputs: Tensor, minimum: bool = False, rows: Tensor | None = None) -> Tensor:
        """Map the concatenated inputs (batch, n) to ([networks,] batch, outputs).

        `minimum`: return the smallest of the networks' outputs, element by element, (batch,
        outputs). `rows` (n,): the numbers of the networks to use; None: all.
        """
        flat: Tensor = self.flat
        layout = self.layout
        width = sum(x.shape[-1] if x.dim() == 2 else 0 for x in inputs)
        if not inputs or any(x.dim() != 2 for x in inputs) or width != layout.sizes[0]:
            raise RuntimeError(
                f"MLPStack: expected inputs (batch, n) with {layout.sizes[0]} columns together, "
                f"got {[tuple(x.shape) for x in inputs]}"
            )
        if rows is not None:
            flat = flat.index_select(0, rows)
            layout = self._layouts.setdefault(len(rows), StackLayout(layout.sizes, len(rows)))
        if self.activation not in FUSED:
            *_, out = self._outputs(flat, layout, inputs)
            return out.min(dim=0).values if minimum and self.is_stack else out
        out = (min_mlp if minimum else mlp)(inputs, flat, layout, self.activation)
        is_alone = self.is_stack and layout.networks == 1 and not minimum
        return out.unsqueeze(0) if is_alone else out

    def min(self, *inputs: Tensor, rows: Tensor | None = None) -> Tensor:
        """The smallest of the networks' outputs, element by element; (batch, outputs)."""
        return self(*inputs, minimum=True, rows=rows)

    def hidden(self, *inputs: Tensor) -> list[Tensor]:
        """The outputs of each hidden layer, (networks, batch, units) or (batch, units)."""
        return list(self._outputs(self.flat, self.layout, inputs))[:-1]

    def _outputs(
        self, flat: Tensor, layout: StackLayout, inputs: Sequence[Tensor]
    ) -> Iterator[Tensor]:
        """Yield the output of each layer, computed by separate operations."""
        x = inputs[0] if len(inputs) == 1 else cat(inputs, dim=1)
        pieces = flat.split([place.stop - place.start for place in layout.slices], dim=1)
        activate = getattr(functional, self.activation)
        for i in range(layout.layers):
            out, fan_in = layout.shapes[2 * i]
            weight = pieces[2 * i].reshape(layout.networks, out, fan_in)
            x = x @ weight.transpose(1, 2) + pieces[2 * i + 1].unsqueeze(1)
            if i + 1 < layout.layers:
                x = activate(x)
            yield x if self.is_stack else x.squeeze(0)

    # -- the layers one by one ------------------------------------------------------------

    def layers(self, flat: Tensor | None = None) -> list[list[Layer]]:
        """Return each network's layers, as views of `flat`: of the parameters, or a gradient."""
        flat = (self.flat if flat is None else flat).detach()
        networks = []
        for row in flat:
            parts = [
                row[place].view(shape)
                for place, shape in zip(self.layout.slices, self.layout.shapes, strict=True)
            ]
            networks.append([Layer(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)])
        return networks

    def described(self, network: int = 0) -> list[tuple[str, Mapping[str, Tensor]]]:
        """Return what one network does, step by step: kinds and arrays."""
        steps: list[tuple[str, Mapping[str, Tensor]]] = []
        for layer in self.layers()[network]:
            steps += [("linear", layer._asdict()), (self.activation, {})]
        return steps[:-1]

    def _own_state(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the weights and biases, by their names in a state dict."""
        for number, network in enumerate(self.layers()):
            for i, layer in enumerate(network):
                for name, value in zip(Layer._fields, layer, strict=True):
                    yield f"{self._name.format(number)}layers.{i}.{name}", value

    def extra_repr(self) -> str:
        networks = f", networks={self.layout.networks}" if self.is_stack else ""
        return f"{list(self.layout.sizes)}, activation={self.activation!r}{networks}"
