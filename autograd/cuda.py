"""`autograd.cuda`: the GPUs, reached through CuPy."""

from __future__ import annotations

from autograd import random
from autograd.backend import cuda, loaded
from autograd.dtypes import DeviceLike, device_argument
from autograd.errors import missing_names
from autograd.tensors.tensor import Tensor


def is_available() -> bool:
    """Whether a GPU can be used."""
    return device_count() > 0


def device_count() -> int:
    """How many GPUs can be used."""
    try:
        return cuda().devices
    except (AssertionError, RuntimeError):
        return 0


def current_device() -> int:
    """The number of the GPU that `cuda` alone means.

    AssertionError without CuPy and RuntimeError without a GPU, as in every function here that needs
    one.
    """
    return cuda().index


def set_device(device: DeviceLike) -> None:
    """Make `cuda` alone mean another GPU."""
    index = _index(device)
    if index is not None:
        cuda().index = cuda().use(index)


def get_device_name(device: DeviceLike | None = None) -> str:
    """The name of a GPU, such as NVIDIA H100."""
    return cuda().device_name(_index(device))


def synchronize(device: DeviceLike | None = None) -> None:
    """Wait until a GPU has finished; raise errors of its work, such as a wrong index."""
    cuda().synchronize(_index(device))


def empty_cache() -> None:
    """Give unused memory of the GPUs back to the system."""
    for backend in loaded.values():
        backend.empty_cache()


def memory_allocated(device: DeviceLike | None = None) -> int:
    """How many bytes of a GPU's memory tensors hold."""
    return cuda().memory_allocated(_index(device))


def memory_reserved(device: DeviceLike | None = None) -> int:
    """How many bytes of a GPU's memory this process has taken."""
    return cuda().memory_reserved(_index(device))


def mem_get_info(device: DeviceLike | None = None) -> tuple[int, int]:
    """Bytes of a GPU's memory that are free, and all."""
    return cuda().memory_info(_index(device))


def manual_seed(seed: int) -> None:
    """Seed the default generator of the current GPU; without a GPU do nothing, as in torch."""
    if is_available():
        random.gpu_generator(current_device()).manual_seed(int(seed))


def manual_seed_all(seed: int) -> None:
    """Seed the default generators of all GPUs; without a GPU do nothing, as in torch."""
    for index in range(device_count()):
        random.gpu_generator(index).manual_seed(int(seed))


def initial_seed() -> int:
    """The seed of the current GPU's default generator."""
    return random.gpu_generator(current_device()).initial_seed()


def get_rng_state(device: DeviceLike = "cuda") -> Tensor:
    """The state of a GPU's default generator, as bytes on the CPU."""
    return random.gpu_generator(cuda().use(_index(device))).get_state()


def set_rng_state(new_state: Tensor, device: DeviceLike = "cuda") -> None:
    """Set the state of a GPU's default generator."""
    random.gpu_generator(cuda().use(_index(device))).set_state(new_state)


def _index(device: DeviceLike | None) -> int | None:
    """The number in a device argument; None for the current GPU."""
    if device is None:
        return None
    wanted = device_argument(device)
    if wanted.type != "cuda":
        raise ValueError(f"Expected a cuda device, but got: {wanted}")
    return wanted.index


__getattr__ = missing_names(__name__)
