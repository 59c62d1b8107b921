"""The stand-in for CuPy, and what the backend calls, held against the real package.

CuPy can be imported without a GPU. Where it is not installed (`pip install -e ".[test-cuda]"`),
these tests are skipped.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any

import pytest

from tests.cupy_signatures import keywords, signature, takes_any_keyword
from tests.cupy_standin.modules import modules
from tests.cupy_standin.ndarray import ndarray
from tests.cupy_standin.ufuncs import ufunc

pytestmark = pytest.mark.cupy

UNKNOWN_LOOPS = set("EFDV")  # bfloat16, complex numbers, records
# What the stand-in makes itself, and never the code that it is the stand-in for.
OWN_CONSTRUCTORS = {"MemoryPointer", "CUDARuntimeError", "ndarray", "BitGenerator"}


def _members() -> list[Any]:
    """Everything that the stand-in offers: the module, the name and the object."""
    found = []
    for module, contents in modules().items():
        for name, value in vars(contents).items():
            if not name.startswith("__") and not inspect.ismodule(value):
                found.append(pytest.param(module, name, value, id=f"{module}.{name}"))
    return found


def real(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:  # an attribute that is no module of its own
        parent, _, name = module.rpartition(".")
        return getattr(real(parent), name)


def same_parameters(name: str, mine: Any, theirs: Any, *, method: bool) -> list[str]:
    """How the parameters of one differ from those of CuPy's."""
    found = signature(theirs)
    if found is None:
        return [f"{name}: CuPy tells no signature"]
    if takes_any_keyword(found):
        return []
    expected, offered = keywords(found), inspect.signature(mine).parameters
    names = [n for n, p in offered.items() if p.kind is not p.VAR_POSITIONAL][method:]
    if names != list(expected):
        return [f"{name}: {names}, but CuPy has {list(expected)}"]
    return [
        f"{name}: {n} is {offered[n]}, but in CuPy {p}"
        for n, p in expected.items()
        if offered[n].kind is not p.kind or not _equal(offered[n].default, p.default)
    ]


def _equal(mine: Any, theirs: Any) -> bool:
    return mine is theirs or mine == theirs


def differences_of_class(name: str, mine: type, theirs: type) -> list[str]:
    """How the methods of a class differ from those of CuPy's."""
    found = []
    for attribute, value in vars(mine).items():
        if attribute.startswith("_") and attribute not in ("__init__", "__call__"):
            continue
        if not hasattr(theirs, attribute):
            found.append(f"{name}.{attribute} does not exist in CuPy")
        elif attribute == "__init__":
            if name not in OWN_CONSTRUCTORS:
                found += same_parameters(name, value, theirs, method=True)
        elif inspect.isfunction(value):
            of_theirs = getattr(theirs, attribute)
            found += same_parameters(f"{name}.{attribute}", value, of_theirs, method=True)
    return found


@pytest.mark.parametrize(("module", "name", "value"), _members())
def test_standin_offers_what_cupy_has(module: str, name: str, value: Any) -> None:
    assert hasattr(real(module), name), f"{module} has no {name}"
    theirs = getattr(real(module), name)
    if isinstance(value, ufunc):
        assert value.name == theirs.name
        assert value.types == [t for t in theirs.types if not UNKNOWN_LOOPS & set(t)]
    elif inspect.isclass(value) and value.__module__.startswith("tests."):
        assert not differences_of_class(name, value, theirs)
    elif inspect.isfunction(value) and not name.startswith("_"):
        assert not same_parameters(name, value, theirs, method=False)


def test_standin_array_has_no_operator_that_cupy_lacks() -> None:
    theirs = set(dir(real("cupy").ndarray))
    mine = {name for name, value in vars(ndarray).items() if callable(value)}
    assert {name for name in mine - theirs if name.startswith("__")} == set()
