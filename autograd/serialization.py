"""`save` and `load` of state dicts as safetensors files, which never run code."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd.creation import made
from autograd.dtypes import dtype_of
from autograd.engine.capture import effect


@effect
def save(obj: Mapping[str, Any], f: str | os.PathLike[str]) -> None:
    """Write a state dict, tensors by name, to the file `f`.

    torch reads it with `safetensors.torch.load_file`. TypeError for anything else than tensors and
    arrays by name: the format does not hold optimizers or whole objects.
    """
    from safetensors.numpy import save_file  # most programs do not need this import

    if not isinstance(obj, Mapping):
        raise TypeError(
            f"save() writes a state dict, names and their tensors, not {type(obj).__name__}; "
            "for a module pass module.state_dict()"
        )
    save_file({_name(key): _array(key, value) for key, value in obj.items()}, os.fspath(f))


def _name(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError(f"save(): the names must be strings, not {type(key).__name__} ({key!r})")
    return key


def _array(key: str, value: Any) -> np.ndarray:
    if not (hasattr(value, "_array") or isinstance(value, np.ndarray)):
        raise TypeError(
            f"save(): {key!r} must be a tensor or array, not {type(value).__name__}; safetensors "
            "holds a flat dict of tensors"
        )
    array = value._host() if hasattr(value, "_array") else value
    dtype_of(array.dtype)
    # safetensors writes raw memory, so a transposed array would come back scrambled.
    return np.ascontiguousarray(array).reshape(array.shape)


def load(f: str | os.PathLike[str], map_location: Any = None) -> OrderedDict[str, Any]:
    """Read the state dict in the file `f` to the device `map_location`.

    RuntimeError if the file is damaged or not a safetensors file, such as one of torch.save.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(os.fspath(f))
    except SafetensorError as error:
        raise RuntimeError(
            f"{os.fspath(f)} is damaged or no safetensors file ({error}). Files of torch.save can "
            "run code when they are read; write them with safetensors.torch.save_file instead."
        ) from error
    return OrderedDict((name, made(array, map_location)) for name, array in arrays.items())
