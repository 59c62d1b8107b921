"""Errors for what torch has and this package leaves out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

# Parts of torch that are left out as a whole: names, or parts of names.
LEFT_OUT = {
    "complex numbers": ("complex", "cfloat", "cdouble", "chalf", "real", "imag", "polar", "fft"),
    "sparse tensors": ("sparse", "to_dense", "coalesce"),
    "quantised tensors": ("quant", "qint", "quint", "qscheme"),
    "bfloat16 or autocast": ("autocast", "amp", "bfloat16"),
    "compilation": ("compile", "jit", "export", "fx"),
    "recurrent networks": ("LSTM", "RNN", "RNNBase", "RNNCell", "GRU", "GRUCell"),
    "double backward": ("functional", "func", "hessian", "jacobian", "jvp", "gradgradcheck"),
    "data sets without numbered items, or worker processes": ("IterableDataset", "get_worker_info"),
}


class NotOfferedError(AttributeError, NotImplementedError):
    """A part of torch that this package leaves out, such as double backward or complex tensors."""


def not_implemented(kernel: str, kind: str = "Bool") -> NotImplementedError:
    """Return torch's error for a function that has no kernel for a dtype, such as Bool."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")


def attribute_error(owner: str, name: str, offered: Iterable[str]) -> AttributeError:
    """Return the error for a missing `owner.name`, with the nearest existing name."""
    text = f"{owner} has no attribute '{name}'"
    if name.startswith("_"):
        return AttributeError(text)
    for what, marks in LEFT_OUT.items():
        if any(name == mark or (len(mark) > 3 and mark in name) for mark in marks):
            return AttributeError(f"{text}: autograd does not offer {what}")
    import difflib  # needed for mistakes only, so not at every import

    public = [n for n in offered if not n.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1)
    hint = f"; the nearest name is '{near[0]}'" if near else ""
    return AttributeError(f"{text}: autograd does not offer it{hint}")


def missing_names(module: str) -> Callable[[str], Any]:
    """Make the `__getattr__` of a module of torch's, which says which of its names is nearest."""

    def missing(name: str) -> Any:
        raise attribute_error(f"module '{module}'", name, vars(sys.modules[module]))

    return missing


def tensor_attribute(tensor: object, name: str) -> object:
    """Raise for a name that a tensor does not have: `Tensor.__getattr__`."""
    raise attribute_error(f"'{type(tensor).__name__}' object", name, dir(type(tensor)))
