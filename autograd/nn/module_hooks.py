"""Calling a module that has forward hooks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from autograd.engine.hooks import RemovableHandle, add_hook


class Hook(NamedTuple):
    """A hook and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool
    always_call: bool


def register_hook(
    hooks: OrderedDict[int, Hook],
    function: Callable[..., Any],
    prepend: bool,
    with_kwargs: bool,
    always_call: bool,
) -> RemovableHandle:
    """Add a hook behind (`prepend`: before) those that are there."""
    handle = add_hook(hooks, Hook(function, with_kwargs, always_call))
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def call_with_hooks(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the hooks and `forward`; hooks with `always_call` run even after an exception."""
    pending = OrderedDict(module._forward_hooks)
    output = None
    try:
        args, kwargs = _run_pre_hooks(module, args, kwargs)
        output = module.forward(*args, **kwargs)
        for key, hook in list(pending.items()):
            del pending[key]
            output = _run_hook(hook, module, args, kwargs, output)
    except Exception:
        for hook in pending.values():
            if hook.always_call:
                _run_hook(hook, module, args, kwargs, output)
        raise
    return output


def _run_pre_hooks(
    module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    for hook in list(module._forward_pre_hooks.values()):
        if not hook.with_kwargs:
            replaced = hook.function(module, args)
            if replaced is not None:
                args = replaced if isinstance(replaced, tuple) else (replaced,)
            continue
        replaced = hook.function(module, args, kwargs)
        if replaced is None:
            continue
        if not (isinstance(replaced, tuple) and len(replaced) == 2):
            raise RuntimeError(
                "forward pre-hook must return None or a tuple of (new_args, new_kwargs), "
                f"but got {replaced}."
            )
        args, kwargs = replaced
    return args, kwargs


def _run_hook(hook: Hook, module: Any, args: Any, kwargs: Any, output: Any) -> Any:
    if hook.with_kwargs:
        replaced = hook.function(module, args, kwargs, output)
    else:
        replaced = hook.function(module, args, output)
    return output if replaced is None else replaced
