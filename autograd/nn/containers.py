"""Modules that hold modules: `Sequential`, `ModuleList`, `ModuleDict`."""

from __future__ import annotations

import operator
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self, SupportsIndex

from autograd.nn.module import Module
from autograd.tensors.tensor import Tensor


class _Indexed(Module):
    """What `Sequential` and `ModuleList` share: children with positions."""

    _part: Callable[[dict[str, Any]], Any]  # the module of the same class with these children

    def _name_at(self, index: SupportsIndex) -> str:
        """The name of the child at a position, which may be negative."""
        position = operator.index(index)
        if not -len(self) <= position < len(self):
            raise IndexError(f"index {position} is out of range")
        return list(self._modules)[position]

    def _renumber(self, modules: Iterable[Module | None]) -> None:
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return self._part(dict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        names = list(self._modules)[index] if isinstance(index, slice) else [self._name_at(index)]
        kept = {name: module for name, module in self._modules.items() if name not in names}
        if all(name.isdigit() for name in kept):
            self._renumber(kept.values())
        else:
            self._modules = kept

    def append(self, module: Module | None) -> Self:
        """Add one module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def insert(self, index: int, module: Module) -> Any:
        """Put a module before the one at `index`."""
        if not isinstance(module, Module):
            raise AssertionError(f"module should be of type: {Module}")
        children = list(self)
        children.insert(operator.index(index), module)
        self._renumber(children)

    def pop(self, index: int | slice) -> Any:
        """Remove the module at `index`, and return it."""
        module = self[index]
        del self[index]
        return module

    def extend(self, modules: Iterable[Module | None]) -> Self:
        """Add modules at the end."""
        for module in list(modules):
            self.append(module)
        return self


class Sequential(_Indexed):
    """Modules that are called one after the other; a dictionary of them gives them names."""

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for module in args:
                self.append(module)

    def forward(self, input: Tensor) -> Any:
        """The last module's result."""
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def _part(self, children: dict[str, Any]) -> Any:
        part = type(self)()
        part._modules = children
        return part

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at `index`; IndexError if there is no such place."""
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        super().insert(index, module)
        return self

    def __add__(self, other: Sequential) -> Sequential:
        return Sequential(*self).__iadd__(other)

    def __iadd__(self, other: Sequential) -> Self:
        if not isinstance(other, Sequential):
            raise ValueError(
                "add operator supports only objects of Sequential class, "
                f"but {type(other)} is given."
            )
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int):
            raise TypeError(f"unsupported operand type(s) for *: {type(self)} and {type(times)}")
        if times <= 0:
            raise ValueError(f"Non-positive multiplication factor {times} for {type(self)}")
        return Sequential(*list(self) * times)

    __rmul__ = __mul__


class ModuleList(_Indexed):
    """A list of modules."""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def _part(self, children: dict[str, Any]) -> Any:
        return type(self)(children.values())

    def extend(self, modules: Iterable[Module | None]) -> Self:
        """Add modules at the end; TypeError if they are not iterable."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleList.extend should be called with an iterable, "
                f"but got {type(modules).__name__}"
            )
        return super().extend(modules)

    __iadd__ = extend

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        """As in torch: consecutive modules with the same repr are shown once, with their count."""
        lines: list[str] = []
        for first, last, text in _runs([repr(module) for module in self]):
            count = last - first + 1
            head = f"({first}): " if count == 1 else f"({first}-{last}): {count} x "
            lines.append((head + text).replace("\n", "\n  "))
        inside = "\n  " + "\n  ".join(lines) + "\n" if lines else ""
        return f"{self._get_name()}({inside})"


def _runs(texts: list[str]) -> list[tuple[int, int, str]]:
    """(first, last, text) of each run of equal texts."""
    runs: list[tuple[int, int, str]] = []
    for i, text in enumerate(texts):
        if runs and runs[-1][2] == text:
            runs[-1] = (runs[-1][0], i, text)
        else:
            runs.append((i, i, text))
    return runs


class ModuleDict(Module):
    """A dictionary of modules, in the order of insertion."""

    def __init__(self, modules: Any = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def update(self, modules: Any) -> None:
        """Add modules from a dictionary or from (name, module) pairs."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of key/value pairs, "
                f"but got {type(modules).__name__}"
            )
        pairs = modules.items() if isinstance(modules, Mapping | ModuleDict) else modules
        for number, pair in enumerate(pairs):
            if len(pair) != 2:
                raise ValueError(
                    f"ModuleDict update sequence element #{number} has length {len(pair)}; "
                    "2 is required"
                )
            self[pair[0]] = pair[1]

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def values(self) -> ValuesView[Any]:
        """The modules."""
        return self._modules.values()

    def items(self) -> ItemsView[str, Any]:
        """(name, module) pairs."""
        return self._modules.items()

    def pop(self, key: str) -> Any:
        """Remove the module of this name, and return it."""
        return self._modules.pop(key)

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()
