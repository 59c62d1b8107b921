"""Find modules, parameters and buffers in a module and in the modules below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def named_modules(
    module: Any, memo: set[Any], prefix: str, remove_duplicate: bool
) -> Iterator[tuple[str, Any]]:
    """The module and all below that are not in `memo`, depth first, with dotted names."""
    if module in memo:
        return
    if remove_duplicate:
        memo.add(module)
    yield prefix, module
    for name, child in module._modules.items():
        if child is not None:
            yield from child.named_modules(memo, _join(prefix, name), remove_duplicate)


def named_children(module: Any) -> Iterator[tuple[str, Any]]:
    """The modules directly below, each once."""
    seen = set()
    for name, child in module._modules.items():
        if child is not None and child not in seen:
            seen.add(child)
            yield name, child


def named_members(
    module: Any, store: str, prefix: str, recurse: bool, remove_duplicate: bool
) -> Iterator[tuple[str, Any]]:
    """The parameters or buffers (by `store`) of a module and, with `recurse`, of all below."""
    seen: set[int] = set()
    owners = (
        module.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
        if recurse
        else [(prefix, module)]
    )
    for path, owner in owners:
        for name, member in getattr(owner, store).items():
            if member is None or id(member) in seen:
                continue
            if remove_duplicate:
                seen.add(id(member))
            yield _join(path, name), member


def attribute(module: Any, name: str) -> Any:
    """An attribute of a module; if there is none, AttributeError in torch's words."""
    if not hasattr(module, name):
        raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
    return getattr(module, name)


def text(module: Any, extra: str) -> str:
    """The repr of a module: its name, its arguments and its children, indented."""
    lines = extra.split("\n") if extra else []
    for name, child in module._modules.items():
        lines.append(f"({name}): " + repr(child).replace("\n", "\n  "))
    if not module._modules and len(lines) <= 1:
        return f"{module._get_name()}({extra})"
    return f"{module._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
