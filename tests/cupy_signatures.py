"""Signatures of the real CuPy: of functions, and of what Cython compiled, which has none.

A ufunc, a method of an array and a class of Cython's tell their parameters in the first line of the
docstring: `_ndarray_base.sum(self, axis=None, dtype=None, out=None, keepdims=False) -> ...`.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

CALL = re.compile(r"^[\w.]+\((.*)\)(?: -> .*)?$")
VARIADIC = inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD


def signature(function: Any) -> inspect.Signature | None:
    """The signature of a function, method or class of CuPy's; None if it tells none."""
    if type(function).__name__ == "ufunc":
        return _parsed(_first_line(function))
    if not (inspect.isclass(function) and "pyx" in str(getattr(function, "__dict__", ""))):
        try:
            return inspect.signature(function)
        except (TypeError, ValueError):
            pass
    if inspect.isclass(function):
        return _parsed(_first_line(function.__init__)) or _parsed(_first_line(function))
    return _parsed(_first_line(function))


def _first_line(documented: Any) -> str:
    lines = (getattr(documented, "__doc__", None) or "").strip().splitlines()
    return lines[0] if lines else ""


def _parsed(line: str) -> inspect.Signature | None:
    match = CALL.match(line.replace("\\*", "*"))
    if match is None:
        return None
    parameters = [_without_type(part.strip()) for part in _parts(match[1])]
    names: dict[str, Any] = {}
    try:
        exec(f"def f({', '.join(parameters)}): ...", {"numpy": __import__("numpy")}, names)
    except (SyntaxError, NameError, AttributeError):
        return None
    return inspect.signature(names["f"])


def _parts(text: str) -> list[str]:
    """The text at its commas, but for those within brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()]


def _without_type(part: str) -> str:
    """`size_t size` is a parameter of C; Python knows it as `size`."""
    name, equals, default = part.partition("=")
    return name.split(":")[0].split()[-1] + equals + default


def keywords(found: inspect.Signature) -> dict[str, inspect.Parameter]:
    """The parameters by name, but for `self` and those that take what is left."""
    return {
        name: parameter
        for name, parameter in found.parameters.items()
        if name != "self" and parameter.kind not in VARIADIC
    }


def takes_any_keyword(found: inspect.Signature) -> bool:
    """Whether there is a `**kwargs`."""
    return any(p.kind is inspect.Parameter.VAR_KEYWORD for p in found.parameters.values())
