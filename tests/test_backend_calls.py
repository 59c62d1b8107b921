"""What operations and the backend call, read from their source, exists in the real CuPy.

Each function, method and keyword: also those of lines that no test runs on a GPU.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograd.backend import cupy_backend
from tests.cupy_signatures import keywords, signature, takes_any_keyword

ROOT = Path(__file__).parents[1]
# What stands for CuPy itself, and for a backend: its own functions, and CuPy's where it has none.
CUPY = {"cupy", "self.cupy", "xp.cupy"}
CUPYX = {"cupyx", "self.cupyx"}
BACKEND = {"xp", "self.xp", "flat.xp", "backend", "self.backend"}
OF_UFUNCS = {"out", "where", "casting", "dtype"}
# Attributes of NumPy's arrays under names that other objects of these files have too.
NOT_OF_ARRAYS = {"size", "all", "any", "copy", "get"}


def files() -> list[Path]:
    """The code that handles arrays of any library."""
    return [
        path
        for path in sorted((ROOT / "autograd").rglob("*.py"))
        if "numpy" not in path.stem and path.stem not in ("erf", "workspace")
    ]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def dotted(node: ast.AST) -> str:
    """`a.b.c` for such a chain of attributes, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        start = dotted(node.value)
        return f"{start}.{node.attr}" if start else ""
    return ""


def rooted(path: Path, roots: set[str]) -> Iterator[tuple[str, int, list[str]]]:
    """The names that follow a root, the line, and the keywords where it is a call."""
    calls = {
        id(node.func): [k.arg for k in node.keywords if k.arg]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
    }
    for node in ast.walk(tree(path)):
        name = dotted(node)
        for root in roots:
            if isinstance(node, ast.Attribute) and name.startswith(f"{root}."):
                yield name.removeprefix(f"{root}."), node.lineno, calls.get(id(node), [])


def found_in(start: Any, name: str) -> Any:
    """The object under a dotted name; AttributeError where there is none."""
    for part in name.split("."):
        try:
            start = getattr(start, part)
        except AttributeError:
            if not inspect.ismodule(start):
                raise
            try:
                start = importlib.import_module(f"{start.__name__}.{part}")
            except ImportError:
                raise AttributeError(f"{start.__name__} has no {part}") from None
    return start


def refused(function: Any, names: list[str]) -> list[str]:
    """The keywords that a function does not take."""
    if type(function).__name__ == "ufunc":
        return [name for name in names if name not in OF_UFUNCS]
    known = signature(function)
    if known is None or takes_any_keyword(known):
        return []
    return [name for name in names if name not in keywords(known)]


def problems(path: Path, roots: set[str], start: Any, own: Any = None) -> list[str]:
    """Where the names under some roots are no functions of `start` (nor of `own`)."""
    found = []
    for name, line, names in rooted(path, roots):
        first = name.split(".")[0]
        if own is not None and (hasattr(own, first) or first in own_attributes()):
            continue
        try:
            wrong = refused(found_in(start, name), names)
        except AttributeError:
            found.append(f"{path.name}:{line}: there is no {name}")
            continue
        found += [f"{path.name}:{line}: {name} takes no {keyword}" for keyword in wrong]
    return found


@cache
def own_attributes() -> set[str]:
    """What the backend's constructors set on it."""
    names = set()
    for path in (ROOT / "autograd" / "backend").rglob("cupy_*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
    return names


CODE = pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)


@pytest.mark.cupy
@CODE
def test_functions_exist_in_cupy(path: Path) -> None:
    import cupy
    import cupyx

    assert not problems(path, CUPY, cupy)
    assert not problems(path, CUPYX, cupyx)
    assert not problems(path, BACKEND, cupy, cupy_backend.CupyBackend)


@pytest.mark.cupy
@pytest.mark.parametrize(
    "path",
    [p for p in files() if {"ops", "backend"} & set(p.parts)],
    ids=lambda path: path.stem,
)
def test_methods_of_arrays_exist_in_cupy(path: Path) -> None:
    import cupy

    of_numpy = {name for name in dir(np.ndarray) if not name.startswith("_")} - NOT_OF_ARRAYS
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in of_numpy:
            assert hasattr(cupy.ndarray, node.attr), f"{path.name}:{node.lineno}: {node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method = getattr(cupy.ndarray, node.func.attr, None)
            if node.func.attr in of_numpy and not dotted(node.func).startswith("xp."):
                wrong = refused(method, [k.arg for k in node.keywords if k.arg])
                assert not wrong, f"{path.name}:{node.lineno}: {node.func.attr} takes no {wrong}"
