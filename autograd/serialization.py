"""`save` and `load` of state dicts as safetensors files, which never run code."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from autograd.creation import made
from autograd.dtypes import dtype_of
from autograd.engine.capture import effect
from autograd.errors import NotOfferedError

File = str | os.PathLike[str] | IO[bytes]


@effect
def save(obj: Mapping[str, Any], f: File) -> None:
    """Write a state dict, tensors by name, to `f`: a path, or a file open for writing bytes.

    torch reads it with `safetensors.torch.load_file`. TypeError for anything else than tensors and
    arrays by name: the format does not hold optimizers or whole objects.
    """
    from safetensors import numpy as safetensors  # most programs do not need this import

    if not isinstance(obj, Mapping):
        raise TypeError(
            f"save() writes a state dict, names and their tensors, not {type(obj).__name__}; "
            "for a module pass module.state_dict()"
        )
    arrays = {_name(key): _array(key, value) for key, value in obj.items()}
    if isinstance(f, str | os.PathLike):
        safetensors.save_file(arrays, os.fspath(f))
    else:
        f.write(safetensors.save(arrays))


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


def load(f: File, map_location: Any = None, *, weights_only: bool = True) -> OrderedDict[str, Any]:
    """Read a state dict to the device `map_location`; `f`: a path, or a file open for bytes.

    An open file is read from where it stands to its end. `weights_only=False` is refused: a file
    holds nothing but tensors.

    RuntimeError if the file is damaged or not a safetensors file, such as one of torch.save.
    """
    from safetensors import SafetensorError
    from safetensors import numpy as safetensors

    if not weights_only:
        raise NotOfferedError("weights_only=False: autograd does not offer files that hold objects")
    file = os.fspath(f) if isinstance(f, str | os.PathLike) else f
    try:
        if isinstance(file, str):
            arrays = safetensors.load_file(file)
        else:
            arrays = safetensors.load(file.read())
    except SafetensorError as error:
        raise RuntimeError(
            f"{file} is damaged or no safetensors file ({error}). Files "
            "of torch.save can run code when they are read; write them with "
            "safetensors.torch.save_file instead."
        ) from error
    return OrderedDict((name, made(array, map_location)) for name, array in arrays.items())
