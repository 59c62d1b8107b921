"""`Tensor`: an array with its history and its gradient."""

from __future__ import annotations

import builtins
import weakref
from collections.abc import Callable
from typing import Any

from autograd.backend import Array, backend_of
from autograd.dtypes import Size, device, dtype, dtype_of, size_of
from autograd.engine import apply as engine
from autograd.engine import gradients
from autograd.engine import views as view_tracking
from autograd.engine.grad_mode import refuse_capture
from autograd.engine.hooks import RemovableHandle, add_hook
from autograd.engine.node import Node
from autograd.tensors import attribute_rules as leaf_rules
from autograd.tensors.conversions import legacy_array
from autograd.tensors.methods import Methods


class Tensor(Methods):
    """An array that remembers how it was computed, so that `backward()` can differentiate it.

    Underscored fields belong to the engine: `_array` holds the elements, `_grad_fn` and
    `_output_nr` say which node made them, `_cell` is the version counter that views share.
    """

    _plain: type[Tensor]  # the class of results, even of operations on a subclass such as Parameter
    _array: Array
    _grad_fn: Node | None = None
    _output_nr = 0
    _requires_grad = False
    _grad: Tensor | None = None
    _cell: list[builtins.int] | None = None
    _view: view_tracking.View | None = None
    _inference = False
    _retains_grad = False
    _hooks: dict[builtins.int, Any] | None = None
    _post_accumulate_hooks: dict[builtins.int, Any] | None = None

    # NumPy leaves `array * tensor` to the tensor, which refuses it, as in torch.
    __array_priority__ = 1000

    def __init__(self, data: Any = (), *shape: builtins.int) -> None:
        """`Tensor(2, 3)` is uninitialised, of this shape; `Tensor([1, 2])` holds these numbers."""
        self._array = legacy_array(data, shape)

    # -- what the engine asks -------------------------------------------------------------

    @staticmethod
    def _wrap(array: Array) -> Tensor:
        """Make a plain tensor without history around an array."""
        tensor = object.__new__(Tensor)
        tensor._array = array
        return tensor

    def _version_cell(self) -> list[builtins.int]:
        if self._cell is None:
            self._cell = [0]
        return self._cell

    def _bump_version(self) -> None:
        if self._cell is None:
            self._cell = [1]
        else:
            self._cell[0] += 1

    def _set_history(self, node: Node, number: builtins.int = 0) -> None:
        """Make it the result of a node; what it retains is the gradient of its latest value."""
        if self._retains_grad and self._grad_fn is not None:
            self._grad_fn.own_extras().retained.pop(self._output_nr, None)
        self._grad_fn, self._output_nr, self._requires_grad = node, number, True
        if self._retains_grad:
            self._retain_in(node)

    def _retain_in(self, node: Node) -> None:
        node.own_extras().retained[self._output_nr] = weakref.ref(self)

    # -- autograd -------------------------------------------------------------------------

    @property
    def requires_grad(self) -> builtins.bool:
        """Whether operations on this tensor are recorded."""
        view = self._view
        return self._requires_grad or (view is not None and view.base._requires_grad)

    @requires_grad.setter
    def requires_grad(self, value: builtins.bool) -> None:
        is_plain = self._grad_fn is None and self._view is None and not self._inference
        if not (is_plain and (value is self._requires_grad or value is False)):
            leaf_rules.check_requires_grad(self, value)
        if is_plain or self.grad_fn is None:
            self._requires_grad = value

    @property
    def grad_fn(self) -> Node | None:
        """The operation that made this tensor; None for a leaf."""
        if self._view is not None:
            engine.refresh(self)
        return self._grad_fn

    @property
    def is_leaf(self) -> builtins.bool:
        """Whether no recorded operation made it."""
        return self.grad_fn is None

    @property
    def output_nr(self) -> builtins.int:
        """Which of the outputs of `grad_fn` it is."""
        return 0 if self.grad_fn is None else self._output_nr

    def is_inference(self) -> builtins.bool:
        """Whether it was made in inference mode."""
        return self._inference

    def _is_view(self) -> builtins.bool:
        return self._view is not None

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None else self._view.base

    @property
    def grad(self) -> Tensor | None:
        """The gradient accumulated so far; None before the first."""
        if self._grad is None and self._grad_fn is not None and not self._retains_grad:
            from autograd.engine.hooks import warn_of_non_leaf_grad

            warn_of_non_leaf_grad()
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        refuse_capture("a gradient is assigned")
        leaf_rules.check_new_grad(self, value)
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: builtins.bool | None = None,
        create_graph: builtins.bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradient of this tensor to the `.grad` of the leaves that it was made from."""
        gradients.backward(self, gradient, retain_graph, create_graph, inputs)

    def detach(self) -> Tensor:
        """The same elements (and version counter) outside the graph."""
        result = Tensor._wrap(self._array)
        result._cell = self._version_cell()
        result._inference = self._inference
        return result

    def detach_(self) -> Tensor:
        """Detach in place."""
        if self._view is not None:
            raise RuntimeError("Can't detach views in-place. Use detach() instead.")
        self._grad_fn, self._requires_grad, self._output_nr = None, False, 0
        return self

    def requires_grad_(self, requires_grad: builtins.bool = True) -> Tensor:
        """Set `requires_grad` in place."""
        if requires_grad and self._array.dtype.kind != "f":
            raise RuntimeError("only Tensors of floating point dtype can require gradients")
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Keep `.grad` on a tensor that is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if self.grad_fn is not None and not self._retains_grad:
            self._retains_grad = True
            self._retain_in(self.grad_fn)

    @property
    def retains_grad(self) -> builtins.bool:
        """Whether `retain_grad` has been called on a tensor that is not a leaf."""
        return self._retains_grad

    def register_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(grad)` with the gradient; a returned tensor replaces it."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        node = self.grad_fn
        if node is None:
            if self._hooks is None:
                self._hooks = {}
            return add_hook(self._hooks, hook)
        return add_hook(node.own_extras().pre_hooks.setdefault(self._output_nr, {}), hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(tensor)` after a gradient has been added to `.grad` of a leaf."""
        if not self.requires_grad:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if self.grad_fn is not None:
            raise RuntimeError(
                "post accumulate grad hooks cannot be registered on non-leaf tensors"
            )
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = {}
        return add_hook(self._post_accumulate_hooks, hook)

    # -- the elements ---------------------------------------------------------------------

    @property
    def data(self) -> Tensor:
        """The same elements outside the graph, with a version counter of their own."""
        result = Tensor._wrap(self._array)
        result._inference = self._inference
        return result

    @data.setter
    def data(self, value: Tensor) -> None:
        refuse_capture("the memory of a tensor is exchanged")
        leaf_rules.check_new_data(self, value)
        self._array = value._array

    @property
    def shape(self) -> Size:
        """The number of elements along each dimension."""
        return size_of(self._array)

    @property
    def ndim(self) -> builtins.int:
        """The number of dimensions."""
        return self._array.ndim

    @property
    def dtype(self) -> dtype:
        """The kind of number."""
        return dtype_of(self._array.dtype)

    @property
    def device(self) -> device:
        """The device of the elements."""
        backend = backend_of(self._array)
        return device(backend.device_type, backend.device_index(self._array))

    @property
    def _version(self) -> builtins.int:
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return 0 if self._cell is None else self._cell[0]


Tensor._plain = Tensor
