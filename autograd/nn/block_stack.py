"""`BlockStack`: equal networks of any steps, whose parameters are one leaf."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Literal, NamedTuple

from autograd.creation import empty, full
from autograd.engine.grad_mode import no_grad
from autograd.functional.fused import lowest, normalize_rows_
from autograd.functional.joining import cat
from autograd.generator import Generator
from autograd.nn.mlp_stack import Layer
from autograd.nn.module import Module
from autograd.nn.parameter import Parameter
from autograd.nn.steps import Activation, Affine, BatchNorm, Dropout, Fork, Join, Mode, Step
from autograd.tensors.tensor import Tensor


class Part(NamedTuple):
    """A parameter of a step."""

    name: str
    start: int  # in a row of the parameters
    shape: tuple[int, ...]  # of one network's

    @property
    def size(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)


class BlockStack(Module):
    """Networks of one shape, side by side, of the steps in `nn.steps`; else as `MLPStack`.

    All parameters are one leaf, `flat` (networks, size). Running statistics are buffers (networks,
    1, units). `state_dict` names the parts of each step one by one.
    """

    flat: Parameter

    def __init__(
        self,
        inputs: int,
        steps: Sequence[Step],
        networks: int | None = None,
        *,
        unit_rows: bool | Literal["hidden"] = False,
        name: str | None = None,
        generator: Any = None,
    ) -> None:
        """Draw each step in turn, network after network.

        Args:
            inputs: How many numbers all inputs have together.
            steps: From inputs to outputs.
            networks: How many; None is one network, whose outputs are (batch, outputs).
            unit_rows: Whether each row of a weight has norm 1: now, and after `normalize_rows_`;
                hidden: but for the last step's.
            name: The prefix of `layers.0.weight` in `state_dict`; "{}" in it stands for the number
                of the network. None: "{}." for several, nothing for one.
            generator: Draws the initial values.
        """
        super().__init__()
        self.inputs, self.steps = inputs, tuple(steps)
        self.is_stack, self.networks = networks is not None, networks or 1
        self._name = ("{}." if self.is_stack else "") if name is None else name
        self._parts: list[list[Part]] = []  # of each step
        self._unit_rows: list[tuple[int, int, int]] = []  # start and shape of such weights
        normalized = len(self.steps) - (unit_rows == "hidden") if unit_rows else 0  # the first
        start = 0
        for i, step in enumerate(self.steps):
            parts = []
            for part, shape in step.parts(inputs).items():
                parts.append(Part(part, start, shape))
                self._unit_rows += [(start, *shape)] if len(shape) == 2 and i < normalized else []
                start += parts[-1].size
            self._parts.append(parts)
            for statistic, value in step.statistics(inputs).items():
                buffer = full((self.networks, 1, inputs), value)
                self.register_buffer(f"{statistic}_{i}", buffer)
            inputs = step.outputs(inputs)
        self.outputs = inputs
        self.flat = Parameter(empty(self.networks, start))
        for number in range(self.networks):
            for step, own in zip(self.steps, self._of(number, self.flat), strict=True):
                step.reset(own, generator)
        self.normalize_rows_()

    @property
    def has_batch_norm(self) -> bool:
        """Whether a batch is normalised as one."""
        return any(isinstance(step, BatchNorm) for step in self.steps)

    def normalize_rows_(self) -> None:
        """Scale the rows of weights to norm 1 that have it; to be called after a step."""
        if self._unit_rows:
            normalize_rows_(self.flat, self._unit_rows)

    def forward(
        self,
        *inputs: Tensor,
        minimum: bool = False,
        rows: Tensor | None = None,
        dropout: Generator | None = None,
        batch_statistics: bool = False,
    ) -> Tensor:
        """Map the concatenated inputs (batch, n) to ([networks,] batch, outputs).

        `minimum`, `rows`: as in `MLPStack`. `dropout` draws what is dropped; None: nothing is.
        `batch_statistics`: normalise by the statistics of this batch, which the running ones of all
        networks follow.
        """
        # All networks' statistics follow the batch, whichever are asked for.
        taken = None if self.has_batch_norm else rows
        *_, out = self._run(inputs, taken, Mode(dropout, batch_statistics))
        if rows is not None and taken is None:
            out = out.index_select(0, rows)
        if minimum and self.is_stack:
            return lowest(out)
        return out if self.is_stack else out.squeeze(0)

    def min(self, *inputs: Tensor, rows: Tensor | None = None, **mode: Any) -> Tensor:
        """The smallest of the networks' outputs, element by element; (batch, outputs)."""
        return self(*inputs, minimum=True, rows=rows, **mode)

    def hidden(self, *inputs: Tensor) -> list[Tensor]:
        """The outputs of each activation, (networks, batch, units) or (batch, units)."""
        outs = zip(self.steps, self._run(inputs, None, Mode()), strict=True)
        return [
            x if self.is_stack else x.squeeze(0) for step, x in outs if isinstance(step, Activation)
        ]

    def before_last(self, *inputs: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """The input of the last step, (networks, batch, units), and that step's parameters."""
        *_, own = self._pieces(None)
        first = cat(inputs, dim=1).unsqueeze(0)
        *_, x = [first, *islice(self._run(inputs, None, Mode()), len(self.steps) - 1)]
        return x, own

    def _run(self, inputs: Sequence[Tensor], rows: Tensor | None, mode: Mode) -> Iterator[Tensor]:
        """Yield the output of each step."""
        width = sum(x.shape[-1] if x.dim() == 2 else 0 for x in inputs)
        if not inputs or any(x.dim() != 2 for x in inputs) or width != self.inputs:
            raise RuntimeError(
                f"BlockStack: expected inputs (batch, n) with {self.inputs} columns together, "
                f"got {[tuple(x.shape) for x in inputs]}"
            )
        x = inputs[0] if len(inputs) == 1 else cat(inputs, dim=1)
        forks: list[Tensor] = []
        for i, (step, own) in enumerate(zip(self.steps, self._pieces(rows), strict=True)):
            if isinstance(step, Fork):
                forks.append(x)
            elif isinstance(step, Join):
                x = x + forks.pop()
            else:
                x = step(x, own | self._statistics(i), mode)
            yield x

    def _pieces(self, rows: Tensor | None) -> Iterator[dict[str, Tensor]]:
        """Yield the parameters of each step, inside the graph."""
        flat: Tensor = self.flat if rows is None else self.flat.index_select(0, rows)
        sizes = [part.size for parts in self._parts for part in parts]
        pieces = iter(flat.split(sizes, dim=1))
        for parts in self._parts:
            own = {}
            for part in parts:
                shape = part.shape if len(part.shape) == 2 else (1, *part.shape)
                own[part.name] = next(pieces).reshape(len(flat), *shape)
            yield own

    def _statistics(self, number: int) -> dict[str, Tensor]:
        """Return the running statistics of a step."""
        return {name: self._buffer(name, number) for name in self.steps[number].statistics(0)}

    def _buffer(self, name: str, number: int) -> Tensor:
        buffer = self._buffers[f"{name}_{number}"]
        assert buffer is not None
        return buffer

    # -- the steps one by one -------------------------------------------------------------

    def _of(self, network: int, flat: Tensor) -> Iterator[dict[str, Tensor]]:
        """Yield the parts of each step of one network, as views outside the graph."""
        row = flat.detach()[network]
        for parts in self._parts:
            yield {p.name: row[p.start : p.start + p.size].view(p.shape) for p in parts}

    def _own_statistics(self, network: int, number: int) -> dict[str, Tensor]:
        names = self.steps[number].statistics(0)
        return {n: self._buffer(n, number)[network, 0] for n in names}

    def layers(self, flat: Tensor | None = None) -> list[list[Layer]]:
        """Return each network's affine steps, as views of `flat`: of the parameters, or a gradient.

        A step without a bias has one of zeros.
        """
        flat = self.flat if flat is None else flat
        return [
            [
                Layer(**step.described(own)[1])
                for step, own in zip(self.steps, self._of(number, flat), strict=True)
                if isinstance(step, Affine)
            ]
            for number in range(self.networks)
        ]

    def described(self, network: int = 0) -> list[tuple[str, Mapping[str, Tensor]]]:
        """Return what an evaluation of one network does, step by step: kinds and arrays."""
        with no_grad():
            return [
                step.described(own | self._own_statistics(network, i))
                for i, (step, own) in enumerate(
                    zip(self.steps, self._of(network, self.flat), strict=True)
                )
                if not isinstance(step, Dropout)
            ]

    def _own_state(self) -> Iterator[tuple[str, Tensor]]:
        """Yield the parts and the statistics of every step, by their names in a state dict."""
        for number in range(self.networks):
            prefix = self._name.format(number)
            for i, own in enumerate(self._of(number, self.flat)):
                for name, value in (own | self._own_statistics(number, i)).items():
                    yield f"{prefix}layers.{i}.{name}", value

    def extra_repr(self) -> str:
        networks = f", networks={self.networks}" if self.is_stack else ""
        return f"{self.inputs}, {len(self.steps)} steps, outputs={self.outputs}{networks}"
