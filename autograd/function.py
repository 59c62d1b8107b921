"""`Function`: an operation that users define, by a forward and a backward on tensors."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from autograd.engine.grad_mode import no_grad, state
from autograd.engine.node import FREED, LEAF, Node, grad_edge, new_node, version_of
from autograd.engine.views import View
from autograd.tensors.inplace import rebase
from autograd.tensors.tensor import Tensor

Slot = tuple[Tensor | None, int | None]  # what was saved, and for an output its number


class Context(Node):
    """The `ctx` of one call, for `forward` and `backward`; also its node in the graph."""

    makes_new_arrays = False  # the user's backward may return any tensor, even a saved one

    function: type[Function]
    needs_input_grad: tuple[bool, ...]  # of every argument
    needs_of_tensors: tuple[bool, ...]
    to_save: tuple[Tensor | None, ...] = ()
    non_differentiable: tuple[Tensor, ...] = ()
    dirty: tuple[Tensor, ...] = ()

    @property
    def needs(self) -> tuple[bool, ...]:
        """For every tensor among the arguments, whether it needs a gradient."""
        return self.needs_of_tensors

    def save_for_backward(self, *tensors: Tensor | None) -> None:
        """Keep tensors for `backward`, which finds them in `saved_tensors`."""
        for i, tensor in enumerate(tensors):
            if tensor is not None and not isinstance(tensor, Tensor):
                raise TypeError(
                    "save_for_backward can only save variables, but argument "
                    f"{i} is of type {type(tensor).__name__}"
                )
        self.to_save = tensors

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """Declare outputs that carry no gradient."""
        self.non_differentiable = tensors

    def mark_dirty(self, *tensors: Tensor) -> None:
        """Declare inputs that `forward` changed in place and returns."""
        self.dirty = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """With False, `backward` gets None instead of zeros for outputs that were not used."""
        self.fills_with_zeros = value

    @property
    def saved_tensors(self) -> tuple[Tensor | None, ...]:
        """The saved tensors; RuntimeError if they were freed, or changed in place."""
        if self.saved is None:
            raise RuntimeError(FREED)
        self.check_versions()
        return tuple(self._unpack(slot) for slot in self.saved)

    def _unpack(self, slot: Slot) -> Tensor | None:
        tensor, number = slot
        if tensor is None or number is None:
            return tensor
        output = Tensor._wrap(tensor._array)
        output._cell = tensor._cell
        output._set_history(self, number)
        return output

    def run(self, g: Any, call: Any = None) -> list[Any]:
        """Call the user's `backward`, and check what it returns."""
        if self.saved is None:
            raise RuntimeError(FREED)
        arrays = g if type(g) is tuple else (g,)
        results = self.function.backward(
            self, *[None if a is None else Tensor._wrap(a) for a in arrays]
        )
        return self._checked(results if isinstance(results, tuple) else (results,))

    def _checked(self, results: tuple[Any, ...]) -> list[Any]:
        expected = len(self.needs_input_grad)
        if len(results) < expected or any(r is not None for r in results[expected:]):
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients "
                f"(expected {expected}, got {len(results)})"
            )
        needed: list[Any] = []
        for i, (result, wanted) in enumerate(zip(results, self.needs_input_grad, strict=False)):
            if result is not None and not isinstance(result, Tensor):
                raise RuntimeError(f"expected Variable or None (got {type(result).__name__})")
            if wanted:
                needed.append(None if result is None else self._fitting(i, result, len(needed)))
        return needed

    def _fitting(self, i: int, result: Tensor, edge: int) -> Any:
        target, number = self.edges[edge]
        shape = target._array.shape if number == LEAF else target.metas[number][0]
        given = result._array.shape
        tail = given[len(given) - len(shape) :]
        if len(given) < len(shape) or any(
            n not in (1, m) for n, m in zip(shape, tail, strict=True)
        ):
            raise RuntimeError(
                f"Function {self.name()} returned an invalid gradient at index {i} - got "
                f"{list(given)} but expected shape compatible with {list(shape)}"
            )
        return result._array

    def release(self) -> None:
        """Free the saved tensors; a context that saved none can run again."""
        if self.saved:
            self.saved = None
            self.versions = []


class Function:
    """A custom operation: subclass it, write static `forward` and `backward`, call `apply`.

    class Exp(Function):
        @staticmethod
        def forward(ctx, x):
            result = x.exp()
            ctx.save_for_backward(result)
            return result

        @staticmethod
        def backward(ctx, grad):
            (result,) = ctx.saved_tensors
            return grad * result
    """

    def __init__(self) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all "
            "static, so you should invoke them on the class itself.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any) -> Any:
        """Raise, because a Function is called by `apply` on the class."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use "
            "new-style autograd function with static forward method: call `apply` on the class."
        )

    _context_class: type[Context]

    def __init_subclass__(cls) -> None:
        cls._context_class = type(f"{cls.__name__}Backward", (Context,), {"function": cls})

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result: `forward(ctx, *args)`, or `forward(*args)` with a `setup_context`."""
        raise NotImplementedError(
            "You must implement the forward function for custom autograd.Function."
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Save for backward, if `forward` takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Return the gradient of every argument of forward; None for those without."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom "
            "autograd.Function to use it with backward mode AD."
        )

    vjp = backward

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`, and record it if an argument requires a gradient."""
        ctx: Any = new_node(cls._context_class, ())
        needs = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        ctx.needs_input_grad = needs
        with no_grad():
            if cls.setup_context is Function.setup_context:
                output = cls.forward(ctx, *args, **kwargs)
            else:
                output = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, output)
        outputs = output if isinstance(output, tuple) else (output,)
        _check_dirty(ctx, outputs)
        recorded = state.recording and any(needs)
        if recorded:
            ctx.needs_of_tensors = tuple(
                n for n, a in zip(needs, args, strict=True) if isinstance(a, Tensor)
            )
            ctx.edges = [grad_edge(a) for a, n in zip(args, needs, strict=True) if n]
            ctx.metas = tuple(
                (o._array.shape, o._array.dtype) if isinstance(o, Tensor) else None for o in outputs
            )
            _save(ctx, outputs)
        results = tuple(_finish(ctx, args, o, i, recorded) for i, o in enumerate(outputs))
        return results if isinstance(output, tuple) else results[0]


def _check_dirty(ctx: Any, outputs: tuple[Any, ...]) -> None:
    for tensor in ctx.dirty:
        if not any(tensor is o for o in outputs):
            raise RuntimeError(
                "Some elements marked as dirty during the forward method were not returned as "
                "output. The inputs that are modified inplace must all be outputs of the Function."
            )
        if tensor._requires_grad and tensor.grad_fn is None and state.recording:
            raise RuntimeError(
                "a leaf Variable that requires grad has been used in an in-place operation."
            )


def _save(ctx: Any, outputs: tuple[Any, ...]) -> None:
    slots: list[Slot] = []
    for tensor in ctx.to_save:
        number = next((i for i, o in enumerate(outputs) if o is tensor), None)
        if tensor is not None:
            ctx.versions.append(version_of(tensor))
        if number is None:
            slots.append((tensor, None))
        else:  # not the output itself, which will hold this node
            alias = Tensor._wrap(tensor._array)
            alias._cell = tensor._cell
            slots.append((alias, number))
    ctx.saved = tuple(slots)
    ctx.to_save = ()


def _finish(ctx: Any, args: tuple[Any, ...], output: Any, number: int, recorded: bool) -> Any:
    """Return one output of forward with its history."""
    if not isinstance(output, Tensor):
        return output
    if any(output is tensor for tensor in ctx.dirty):
        output._bump_version()
        if recorded:
            result = Tensor._wrap(output._array)
            result._set_history(ctx, number)
            rebase(output, result)
        return output
    if any(output is a for a in args):
        source, output = output, output.detach()
        base = source if source._view is None else source._view.base
        output._view = View(base, None, "custom", output._cell[0])
    elif output._view is not None:
        output._view.creation = "custom"
    differentiable = output._array.dtype.kind == "f" and not any(
        output is t for t in ctx.non_differentiable
    )
    if recorded and differentiable:
        output._set_history(ctx, number)
    return output


def once_differentiable(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a `backward` as not differentiable itself; here, none is."""

    @functools.wraps(function)
    def wrapper(ctx: Any, *args: Any) -> Any:
        with no_grad():
            return function(ctx, *args)

    return wrapper
