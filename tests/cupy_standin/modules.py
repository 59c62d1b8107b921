"""The stand-in as modules: `cupy`, `cupyx` and what is in them."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from tests.cupy_standin import (
    devices,
    functions,
    indexing,
    kernels,
    linear_algebra,
    manipulation,
    memory,
    pinned,
    random,
)
from tests.cupy_standin.ufuncs import ufunc


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents, __path__=[])
    return module


def _erf(x: Any) -> Any:
    return np.vectorize(math.erf, otypes=[x.dtype])(x) if x.size else x


ERF = ufunc("erf", "e->d f->f d->d", _erf)  # float64 for float16, which SciPy does not do
ERF.name = "cupyx_scipy_special_erf"
RSQRT = ufunc("rsqrt", "e->e f->f d->d", lambda x: 1 / np.sqrt(x))


def _cupyx() -> dict[str, ModuleType]:
    special = _module("cupyx.scipy.special", erf=ERF)
    scipy = _module("cupyx.scipy", special=special)
    top = _module(
        "cupyx",
        scipy=scipy,
        scatter_add=indexing.scatter_add,
        empty_pinned=pinned.empty_pinned,
        zeros_pinned=pinned.zeros_pinned,
        empty_like_pinned=pinned.empty_like_pinned,
        rsqrt=RSQRT,
    )
    return {"cupyx": top, "cupyx.scipy": scipy, "cupyx.scipy.special": special}


def _cuda() -> dict[str, ModuleType]:
    runtime = _module(
        "cupy.cuda.runtime",
        getDeviceCount=lambda: devices.DEVICES,
        getDevice=devices.current_device,
        setDevice=lambda device: devices.Device(device).use(),
        deviceSynchronize=lambda: devices.Device().synchronize(),
        memGetInfo=lambda: devices.Device().mem_info,
        getDeviceProperties=lambda device: {"name": b"stand-in", "totalGlobalMem": devices.MEMORY},
        CUDARuntimeError=devices.CUDARuntimeError,
    )
    cuda = _module(
        "cupy.cuda",
        runtime=runtime,
        Device=devices.Device,
        Stream=devices.Stream,
        Event=devices.Event,
        MemoryPool=memory.MemoryPool,
        PinnedMemoryPool=memory.PinnedMemoryPool,
        MemoryPointer=memory.MemoryPointer,
        get_current_stream=devices.get_current_stream,
        get_device_id=devices.current_device,
        get_elapsed_time=devices.get_elapsed_time,
        is_available=functions.is_available,
    )
    return {"cupy.cuda": cuda, "cupy.cuda.runtime": runtime}


def _cupy(cuda: ModuleType) -> dict[str, ModuleType]:
    linalg = _module(
        "cupy.linalg",
        norm=linear_algebra.norm,
        svd=linear_algebra.svd,
        qr=linear_algebra.qr,
    )
    stride_tricks = _module("cupy.lib.stride_tricks", as_strided=manipulation.as_strided)
    lib = _module("cupy.lib", stride_tricks=stride_tricks)
    generators = _module(
        "cupy.random",
        Generator=random.Generator,
        BitGenerator=random.BitGenerator,
        XORWOW=random.XORWOW,
        MRG32k3a=random.MRG32k3a,
        Philox4x3210=random.Philox4x3210,
        default_rng=random.default_rng,
    )
    top = _module(
        "cupy",
        cuda=cuda,
        linalg=linalg,
        lib=lib,
        random=generators,
        ElementwiseKernel=kernels.ElementwiseKernel,
        **{name: getattr(functions, name) for name in functions.NAMES},
    )
    return {
        "cupy": top,
        "cupy.linalg": linalg,
        "cupy.lib": lib,
        "cupy.lib.stride_tricks": stride_tricks,
        "cupy.random": generators,
    }


@functools.cache
def modules() -> dict[str, ModuleType]:
    """The stand-in's modules by name: the same ones at every call."""
    cuda = _cuda()
    return {**cuda, **_cupy(cuda["cupy.cuda"]), **_cupyx()}


@contextmanager
def installed() -> Iterator[ModuleType]:
    """The stand-in in the place of CuPy; yields `cupy`."""
    hidden = {
        name: module
        for name, module in sys.modules.items()
        if name.split(".")[0] in ("cupy", "cupyx", "cupy_backends")
    }
    for name in hidden:
        del sys.modules[name]
    sys.modules.update(modules())
    devices.Device(0).use()
    try:
        yield modules()["cupy"]
        pinned.transfers.finish()
    finally:
        pinned.transfers.forget()
        for name in modules():
            sys.modules.pop(name, None)
        sys.modules.update(hidden)
