"""When an update may be repeated by a program, and when it must run as it is written.

A program does what the update did that it was captured from. So it is captured anew as soon as
something that the update depends on is another object than then: a part, a setting, a network. And
nothing is captured of classes that do not promise to do the same each time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import is_
from typing import Any

from autograd import Tensor, nn, optim
from autograd.engine.capture import Captured
from sac.agent.compiling import Compilation


class Repeater:
    """Captures a function of an agent's parts, for as long as these stay what they are."""

    def __init__(self, compilation: Compilation) -> None:
        self.compilation = compilation
        self.captured: Captured | None = None  # None: the function runs as it is written
        self._objects: list[Any] = []
        self._namespaces: list[dict[str, Any]] = []
        self._seen: list[Any] = []

    def __getstate__(self) -> dict[str, Any]:
        """A copy belongs to other parts."""
        return Repeater(self.compilation).__dict__

    def repeated(
        self,
        function: Callable[..., Any],
        owner: Any,
        parts: Sequence[Any],
        constants: Sequence[Any],
        tensors: Callable[[], list[Tensor]],
    ) -> Callable[..., Any]:
        """Return what stands for a function: its program, or itself.

        Args:
            function: A method of `owner`.
            owner: Whose other attributes are constants, but those that count.
            parts: What the function uses, with all attributes.
            constants: What it uses that does not change, or is called each time.
            tensors: Returns those that the function knows beside its inputs.
        """
        now = [*parts, *constants, len(vars(owner)), *self._attributes()]
        if len(now) != len(self._seen) or not all(map(is_, now, self._seen)):
            self._objects = list(_objects(parts))
            self._namespaces = [names for each in self._objects for names in _namespaces(each)]
            self._seen = [*parts, *constants, len(vars(owner)), *self._attributes()]
            self.captured = None
            if all(map(_is_repeatable, (owner, *self._objects))):
                modules = [part for part in parts if isinstance(part, nn.Module)]
                compiler = self.compilation.compiler
                self.captured = Captured(function, tensors(), modules, compiler)
        return self.captured or function

    def _attributes(self) -> list[Any]:
        found = [value for names in self._namespaces for value in names.values()]
        return found + [each.__class__ for each in self._objects]


def _objects(parts: Iterable[Any]) -> Iterator[Any]:
    """Yield the parts, the modules in them, and what these have as attributes that may decide."""
    known: set[int] = set()
    for part in parts:
        for module in part.modules() if isinstance(part, nn.Module) else [part]:
            for each in (module, *filter(_may_decide, vars(module).values())):
                if id(each) not in known:
                    known.add(id(each))
                    yield each


def _may_decide(value: Any) -> bool:
    """Whether an attribute is an object with attributes of its own: an optimizer or a user's."""
    is_plain = isinstance(value, dict | Tensor | type) or not hasattr(value, "__dict__")
    return isinstance(value, optim.Optimizer) or not (is_plain or _is_of_autograd(value))


def _is_of_autograd(each: Any) -> bool:
    return type(each).__module__.startswith("autograd.")


def _namespaces(each: Any) -> list[dict[str, Any]]:
    """Return where the attributes of an object are; a module has stores of its own."""
    stores = ("_parameters", "_buffers", "_modules") if isinstance(each, nn.Module) else ()
    return [vars(each), *(vars(each)[store] for store in stores)]


def _is_repeatable(each: Any) -> bool:
    """Whether an object's own class promises it, not one that it inherits from.

    autograd's classes do. An object with a method of its own is no longer what its class says,
    unless that only wraps the method of the class, as a learning-rate schedule does.
    """
    promises = _is_of_autograd(each) or vars(type(each)).get("is_repeatable", False)
    return promises and not any(
        callable(method := getattr(type(each), name, None))
        and getattr(value, "__wrapped__", None) is not method
        for name, value in vars(each).items()
    )
