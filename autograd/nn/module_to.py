"""What `Module.to(...)` does to each tensor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd.dtypes import device, dtype
from autograd.tensors.tensor import Tensor


def conversion(*args: Any, **kwargs: Any) -> Callable[[Tensor], Tensor]:
    """Return the function that does what `to(device)`, `to(device, dtype)` and so on ask for."""
    target_device, target_dtype = _target(args, kwargs)
    if target_dtype is not None and not target_dtype.is_floating_point:
        raise TypeError(
            "nn.Module.to only accepts floating point or complex dtypes, "
            f"but got desired dtype={target_dtype}"
        )

    def convert(tensor: Tensor) -> Tensor:
        if target_device is not None:
            tensor = tensor.to(target_device)
        if target_dtype is not None and tensor.is_floating_point():
            tensor = tensor.to(target_dtype)
        return tensor

    return convert


def _target(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[device | None, dtype | None]:
    if args and isinstance(args[0], Tensor):
        return args[0].device, args[0].dtype
    if isinstance(kwargs.get("tensor"), Tensor):
        return kwargs["tensor"].device, kwargs["tensor"].dtype
    if args and isinstance(args[0], dtype):
        return kwargs.get("device"), args[0]
    names = ("device", "dtype", "non_blocking")
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    unknown = given.keys() - names
    if len(args) > len(names) or unknown:
        raise TypeError(f"to() received an invalid combination of arguments: {args}, {kwargs}")
    place = given.get("device")
    return None if place is None else device(place), given.get("dtype")
