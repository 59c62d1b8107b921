"""`autograd.cuda`: what there is of GPUs."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """Whether a GPU can be used."""
    return device_count() > 0


def device_count() -> int:
    """How many GPUs can be used."""
    return 0


def current_device() -> int:
    """The number of the GPU in use; AssertionError where there is none."""
    raise _no_gpu()


def synchronize(device: Any = None) -> None:
    """Wait until a GPU has done its work; AssertionError where there is none."""
    raise _no_gpu()


def empty_cache() -> None:
    """Give unused memory of the GPU back: nothing to do where there is none."""


def manual_seed(seed: int) -> None:
    """Nothing: random numbers are drawn on the CPU, where `autograd.manual_seed` seeds them."""


manual_seed_all = manual_seed


def _no_gpu() -> AssertionError:
    return AssertionError("Torch not compiled with CUDA enabled: no GPU can be reached")
