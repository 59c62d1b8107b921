"""Errors that torch has no class for, and what is said where a name of torch is missing."""

from __future__ import annotations

from collections.abc import Iterable

# Parts of torch that are left out as a whole, by what begins or stands in their names.
LEFT_OUT = {
    "complex numbers": ("complex", "cfloat", "cdouble", "chalf", "real", "imag", "polar", "fft"),
    "sparse tensors": ("sparse", "to_dense", "coalesce"),
    "quantised tensors": ("quant", "qint", "quint", "qscheme"),
    "bfloat16 or autocast": ("autocast", "amp", "bfloat16"),
    "compilation": ("compile", "jit", "export", "fx"),
    "data loading": ("utils.data",),
}


class NotOfferedError(AttributeError, NotImplementedError):
    """A part of torch that this package leaves out, such as double backward or complex tensors."""


def attribute_error(owner: str, name: str, offered: Iterable[str]) -> AttributeError:
    """The error for `owner.name`, with the nearest of the names that there are."""
    text = f"{owner} has no attribute '{name}'"
    if name.startswith("_"):
        return AttributeError(text)
    for what, marks in LEFT_OUT.items():
        if any(name == mark or (len(mark) > 3 and mark in name) for mark in marks):
            return AttributeError(f"{text}: autograd does not offer {what}")
    import difflib  # for mistakes only: kept off the way of every import

    public = [n for n in offered if not n.startswith("_")]
    near = difflib.get_close_matches(name, public, n=1)
    hint = f"; the nearest name is '{near[0]}'" if near else ""
    return AttributeError(f"{text}: autograd does not offer it{hint}")


def tensor_attribute(tensor: object, name: str) -> object:
    """`Tensor.__getattr__`: called for names that a tensor does not have."""
    raise attribute_error(f"'{type(tensor).__name__}' object", name, dir(type(tensor)))
