"""Automatic differentiation with PyTorch's names and semantics, on NumPy.

`import autograd as torch` runs PyTorch code that stays within what is offered.
"""

from __future__ import annotations

import importlib
from types import FunctionType, ModuleType
from typing import Any

from autograd import creation as _creation
from autograd import cuda, dtypes, random
from autograd import missing as _missing
from autograd import serialization as _serialization
from autograd.creation import tensor  # named, so that type checkers see no module here
from autograd.dtypes import Size, device, dtype, finfo, iinfo
from autograd.engine.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from autograd.functional import activation as _activation
from autograd.functional import arithmetic as _arithmetic
from autograd.functional import comparison as _comparison
from autograd.functional import einsum as _einsum
from autograd.functional import elementwise as _elementwise
from autograd.functional import indexing as _indexing
from autograd.functional import joining as _joining
from autograd.functional import linear_algebra as _linear_algebra
from autograd.functional import reduction as _reduction
from autograd.functional import shape as _shape
from autograd.functional import sorting as _sorting
from autograd.functional.checks import is_tensor
from autograd.generator import Generator
from autograd.tensors.conversions import is_complex, is_floating_point, is_signed, numel
from autograd.tensors.out_argument import with_out as _with_out
from autograd.tensors.tensor import Tensor

__version__ = "0.1.0"

__all__ = [
    "Generator",
    "Size",
    "Tensor",
    "cuda",
    "device",
    "dtype",
    "enable_grad",
    "finfo",
    "iinfo",
    "inference_mode",
    "is_complex",
    "is_floating_point",
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_signed",
    "is_tensor",
    "no_grad",
    "numel",
    "random",
    "set_grad_enabled",
    "tensor",
]

inf, nan, pi, e = float("inf"), float("nan"), 3.141592653589793, 2.718281828459045
newaxis = None

# Rooms of functions: what is public there is public here. Those of the first row take `out=`, too.
_ROOMS_WITH_OUT: tuple[ModuleType, ...] = (
    _arithmetic, _comparison, _elementwise, _indexing, _joining, _linear_algebra, _reduction,
)  # fmt: skip
_ROOMS: tuple[ModuleType, ...] = (
    _activation, _creation, _einsum, _serialization, _shape, _sorting, random,
)  # fmt: skip

# Imported when they are first asked for, so that `import autograd` is quick.
_LAZY_MODULES = ("autograd", "distributions", "nn", "optim")
_LAZY_NAMES = dict.fromkeys(
    (
        "Function",
        "backward",
        "detect_anomaly",
        "grad",
        "gradcheck",
        "is_anomaly_check_nan_enabled",
        "is_anomaly_enabled",
        "set_detect_anomaly",
    ),
    "autograd.autograd",
)


def _public_functions(module: ModuleType) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, FunctionType)
        and value.__module__ == module.__name__
        and not name.startswith("_")
    }


for _room in _ROOMS:
    globals().update(_public_functions(_room))
for _room in _ROOMS_WITH_OUT:
    globals().update({name: _with_out(f) for name, f in _public_functions(_room).items()})
globals().update({name: value for name, value in vars(dtypes).items() if isinstance(value, dtype)})


def __getattr__(name: str) -> Any:
    """A module or name that is imported late; AttributeError with the nearest name for others."""
    if name in _LAZY_MODULES:
        return importlib.import_module(f"autograd.{name}")
    if name in _LAZY_NAMES:
        return getattr(importlib.import_module(_LAZY_NAMES[name]), name)
    raise _missing.attribute_error("module 'autograd'", name, __dir__())


def __dir__() -> list[str]:
    """All public names, those that are imported late too."""
    names = {*globals(), *_LAZY_MODULES, *_LAZY_NAMES}
    return sorted(name for name in names if not name.startswith("_"))
