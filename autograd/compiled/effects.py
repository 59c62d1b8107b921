"""How effects, such as a step of an optimizer, become instructions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.backend import NUMPY
from autograd.compiled.instructions import Instruction, NotCompiledError, Place
from autograd.compiled.known import Known
from autograd.compiled.loops import PART
from autograd.functional.fused import clip_row_norms_, normalize_rows_, polyak_update_
from autograd.ops.stack import matrices
from autograd.ops.stack import normalize_rows_ as norm_rows_
from autograd.optim.adam import Adam, AdamW
from autograd.optim.optimizer import Optimizer, number
from autograd.tensors.tensor import Tensor

WHOLE = (0, 0, 0, 1)  # the strides of an array without a shape
ONE = (0, 0, 0, 0)


class Binding:
    """What must be looked at before a run of a program, and done after it."""

    slots: np.ndarray  # the addresses that the kernels see

    def bind(self, slots: np.ndarray) -> None:
        """Write into these addresses from now on."""
        self.slots = slots

    def ready(self) -> bool:
        """Take over what has changed; return False if the program does not fit any more."""
        return True

    def done(self) -> None:
        """Do what is left."""


class AdamBinding(Binding):
    """The settings and the state of one parameter's optimizer."""

    def __init__(self, optimizer: Adam, place: tuple[int, int], slots: list[int]) -> None:
        """`place`: the numbers of the group and of the parameter in it.

        `slots` of step, first and second moment.
        """
        self.optimizer, self.place = optimizer, place
        self.param: Tensor = optimizer.param_groups[place[0]]["params"][place[1]]
        self.numbers = slots
        self.settings = np.zeros(5)
        self._latest: tuple[Any, ...] = ()
        self._arrays: list[Any] = [None] * 3

    def bind(self, slots: np.ndarray) -> None:
        """Write into these addresses from now on, and look for the state anew."""
        self._arrays = [None] * 3
        super().bind(slots)

    def ready(self) -> bool:
        """Look at the settings, and at where the state lies."""
        group = self.optimizer.param_groups[self.place[0]]  # another dict after a load
        state = self.optimizer.state[self.param]
        decay = group["weight_decay"]
        now = group["lr"], *group["betas"], group["eps"], decay
        if self.optimizer.found_inf is not None or group["amsgrad"] or group["maximize"]:
            return False
        if decay and not group["decoupled_weight_decay"]:
            return False
        if now != self._latest:
            self.settings[:] = [number(value) for value in now]
            self.settings[4] *= self.settings[0]
            self._latest = now if not any(isinstance(x, Tensor) for x in now) else ()
        for i, name in enumerate(("step", "exp_avg", "exp_avg_sq")):
            array = state[name]._array if name in state else None
            if array is not self._arrays[i]:
                shape = self.param._array.shape if i else ()
                if array is None or not fits(array, shape):
                    return False
                self._arrays[i] = array
                self.slots[self.numbers[i]] = NUMPY.address(array)
        return True

    def done(self) -> None:
        """Tell the graph that the parameter has changed."""
        self.param._bump_version()


class Group(Binding):
    """The parameters of an optimizer, of which a program gives gradients to some."""

    def __init__(self, known: Known, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.params = self._identities()
        given = {*known.gradients, *map(id, known.cleared)}
        params = [param for group in optimizer.param_groups for param in group["params"]]
        self.idle = [param for param in params if id(param) not in given]

    def _identities(self) -> list[list[int]]:
        return [list(map(id, group["params"])) for group in self.optimizer.param_groups]

    def ready(self) -> bool:
        """Whether the parameters are the same, and no other has a gradient."""
        has_more = self.idle and any(param._grad is not None for param in self.idle)
        return not has_more and self._identities() == self.params


class FirstGradient(Binding):
    """A tensor whose gradient a program makes, rather than adding to one."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def ready(self) -> bool:
        """Whether it has none."""
        return self.tensor._grad is None


class Changed(Binding):
    """A tensor that the program changes in place."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor

    def done(self) -> None:
        """Tell the graph."""
        self.tensor._bump_version()


def fits(array: Any, shape: tuple[int, ...]) -> bool:
    """Whether the kernels can work on an array where one of `shape` was."""
    return array.shape == shape and array.dtype == np.float32 and array.flags.c_contiguous


def _step(known: Known, optimizer: Adam, closure: Callable[[], Any] | None = None) -> list[Binding]:
    if closure is not None or type(optimizer) not in (Adam, AdamW):
        raise NotCompiledError("an optimizer other than Adam and AdamW")
    if id(optimizer) in known.stepped:
        raise NotCompiledError("a second step of an optimizer")
    known.stepped.add(id(optimizer))
    bindings: list[Binding] = [Group(known, optimizer)]
    emitter, memory = known.emitter, known.memory
    for i, group in enumerate(optimizer.param_groups):
        for j, param in enumerate(group["params"]):
            gradient = known.gradients.get(id(param))
            if gradient is None:
                continue
            size = param._array.size
            parameter, offset = memory.place(known.traced(param._array))
            gradient_root, start = memory.place(gradient)
            if not gradient.flags.c_contiguous or offset or not size:
                raise NotCompiledError("a parameter or a gradient that is a view")
            _check_float32(known.traced(param._array), gradient)
            step = memory.new((1,), kind="bound")
            roots = [memory.roots[-1]]
            for _ in range(2):
                memory.new((size,), kind="bound")
                roots.append(memory.roots[-1])
            binding = AdamBinding(optimizer, (i, j), [root.slot for root in roots])
            binding.bind(np.zeros(len(memory.roots), np.uint64))
            if not binding.ready():
                raise NotCompiledError("settings of Adam without a kernel")
            memory.adopt(binding.settings, "kept")
            settings = memory.roots[-1]
            emitter.elementwise("ADD", [step, 1.0], step)
            places = [
                Place(parameter, "FLOAT", 0, WHOLE), Place(gradient_root, "FLOAT", start, WHOLE),
                Place(roots[1], "FLOAT", 0, WHOLE), Place(roots[2], "FLOAT", 0, WHOLE),
                Place(roots[0], "FLOAT", 0, ONE), Place(settings, "SETTINGS", 0, ONE),
            ]  # fmt: skip
            _write_long(known, "ADAM", places, 6, [0, 2, 3], 8 * size)
            bindings.append(binding)
    return bindings


def _check_float32(*arrays: Any) -> None:
    if any(array.dtype != np.float32 for array in arrays):
        raise NotCompiledError("another dtype than float32")


def _write_long(
    known: Known, op: str, places: list[Place], inputs: int, writes: list[int], work: int
) -> None:
    """Write a loop over the elements of arrays without a shape."""
    size = places[0].root.memory.size
    instruction = Instruction(
        op, "", (1, 1, 1, size), places, inputs, unit=PART, extent=-(-size // PART), writes=writes,
        work=work,
    )  # fmt: skip
    if size > PART:
        instruction.group = instruction
    known.emitter.write(instruction)


def _polyak_update(known: Known, target: Tensor, source: Tensor, tau: float) -> list[Binding]:
    memory = known.memory
    arrays = [known.traced(t._array) for t in (target, source)]
    places = [Place(memory.place(a)[0], "FLOAT", 0, WHOLE) for a in arrays]
    is_whole = all(a.flags.c_contiguous and not memory.place(a)[1] for a in arrays)
    if not is_whole or arrays[0].shape != arrays[1].shape:
        raise NotCompiledError("a view as a target or a source")
    _check_float32(*arrays)
    weight = memory.operand(tau, (1,))
    places.append(Place(weight.root, "FLOAT", weight.offset, ONE))
    _write_long(known, "LERP", places, 3, [0], 3 * arrays[0].size)
    return [Changed(target)]


def _clip_row_norms(known: Known, parameter: Tensor, max_norm: float) -> list[Binding]:
    gradient = known.gradients.get(id(parameter))
    if gradient is None:
        raise NotCompiledError("a gradient from nowhere")
    norm = np.sqrt(np.vecdot(gradient, gradient))
    factor = np.minimum(np.divide(max_norm, norm + 1e-6), 1.0)
    np.multiply(gradient, factor.reshape(-1, 1), out=gradient)
    return []


def _normalize_rows(known: Known, parameters: Tensor, places: Any) -> list[Binding]:
    for part in matrices(known.traced(parameters._array), places):
        norm_rows_(known.emitter, part)
    return [Changed(parameters)]


def _zero_grad(known: Known, optimizer: Optimizer, set_to_none: bool = True) -> list[Binding]:
    if not set_to_none:
        raise NotCompiledError("gradients that are filled with zeros")
    for group in optimizer.param_groups:
        known.cleared += group["params"]
        for param in group["params"]:
            known.gradients.pop(id(param), None)
    return []


RULES: dict[Callable[..., Any], Callable[..., list[Binding]]] = {
    Adam.step.__wrapped__: _step,  # type: ignore[attr-defined]
    Optimizer.zero_grad.__wrapped__: _zero_grad,  # type: ignore[attr-defined]
    polyak_update_.__wrapped__: _polyak_update,  # type: ignore[attr-defined]
    clip_row_norms_.__wrapped__: _clip_row_norms,  # type: ignore[attr-defined]
    normalize_rows_.__wrapped__: _normalize_rows,  # type: ignore[attr-defined]
}


def _adam_state(optimizer: Adam, closure: Any = None) -> Callable[[], None]:
    """Remember the state of all parameters before a step."""
    saved = []
    for group in optimizer.param_groups:
        for param in group["params"]:
            state = optimizer.state.get(param) or {}
            saved.append((param, {name: value._array.copy() for name, value in state.items()}))

    def back() -> None:
        for param, arrays in saved:
            for name, value in optimizer.state.get(param, {}).items():
                value._array[...] = arrays.get(name, 0)

    return back


# What takes back an effect, for those that change more than the tensors of the captured function.
SNAPSHOTS: dict[Callable[..., Any], Callable[..., Callable[[], None]]] = {
    Adam.step.__wrapped__: _adam_state,  # type: ignore[attr-defined]
}
