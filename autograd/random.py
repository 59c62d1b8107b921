"""Random tensors, and the default generators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from autograd.backend import Array, resolved
from autograd.creation import made
from autograd.dtypes import CPU, DeviceLike, device_argument, type_name
from autograd.engine.apply import apply
from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.errors import missing_names, not_implemented
from autograd.functional.broadcasting import broadcast_shapes
from autograd.functional.checks import integer, require_tensor, shape_of
from autograd.functional.keywords import Options, settings_of
from autograd.generator import Generator
from autograd.ops import random as ops
from autograd.tensors.tensor import Tensor

if TYPE_CHECKING:
    from autograd.types import Operand

FLOAT32, INT64 = np.dtype(np.float32), np.dtype(np.int64)


class RandomOptions(Options, total=False):
    """The keywords of the functions that draw a tensor."""

    generator: Generator | None


default_generator = Generator()
_on_gpus: dict[int, Generator] = {}  # the default generators of the GPUs that have been drawn on


def manual_seed(seed: int) -> Generator:
    """Seed the default generators of the CPU and of all GPUs."""
    for generator in _on_gpus.values():
        generator.manual_seed(int(seed))
    return default_generator.manual_seed(int(seed))


def gpu_generator(index: int) -> Generator:
    """Return the default generator of a GPU; its first seed is that of the CPU's."""
    if index not in _on_gpus:
        _make_gpu_generator(index)
    return _on_gpus[index]


@effect  # so that a program does not repeat the seeding
def _make_gpu_generator(index: int) -> None:
    if index not in _on_gpus:
        generator = Generator(f"cuda:{index}")
        _on_gpus[index] = generator.manual_seed(default_generator.initial_seed())


def seed() -> int:
    """Seed the default generator from the operating system."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default generator."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default generator."""
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    """Set the state of the default generator."""
    default_generator.set_state(new_state)


def source(generator: Generator | None, device: DeviceLike | None = None) -> Any:
    """Return what draws for a generator (None: the default one) on a device (None: the CPU).

    It has the methods of NumPy's generators and draws arrays on its device. A capture does not see
    its draws; use `draw` where that matters.
    """
    return _checked(generator, device)._source


def draw(
    generator: Generator | None, device: DeviceLike | None, method: str, *arguments: Any
) -> Array:
    """Draw an array by a method of NumPy's generators, in a way that a capture can repeat."""
    return state.run_silently(_draw, _checked(generator, device), method, arguments)


def drawn_probability(device_type: str, p: float) -> float:
    """Return the probability nearest to `p` that is drawn: four come from one draw of 64 bits."""
    return p if device_type == "cuda" else round(p * 2**16) / 2**16


def draw_kept(
    generator: Generator | None, device: DeviceLike | None, p: float, shape: tuple[int, ...]
) -> Array:
    """Draw bools, False with the probability `drawn_probability` of p; a capture can repeat it."""
    return state.run_silently(_draw_kept, _checked(generator, device), p, shape)


def _draw_kept(generator: Generator, p: float, shape: tuple[int, ...]) -> Array:
    if generator.device.type == "cuda":
        return generator._source.random(shape, np.float32) >= p
    size, limit = math.prod(shape), round(p * 2**16)
    if limit == 2**16:  # which 16 bits do not reach
        return np.zeros(shape, np.bool_)
    bits = generator._source.integers(2**64, size=-(-size // 4), dtype=np.uint64)
    return (bits.view(np.uint16)[:size] >= np.uint16(limit)).reshape(shape)


def _draw(generator: Generator, method: str, arguments: tuple[Any, ...]) -> Array:
    return getattr(generator._source, method)(*arguments)


def _checked(generator: Generator | None, device: DeviceLike | None) -> Generator:
    wanted = CPU if device is None else resolved(device_argument(device))
    if generator is None:
        generator = default_generator if wanted.type == "cpu" else gpu_generator(wanted.index)
    if not isinstance(generator, Generator):
        raise TypeError(
            f"argument 'generator' must be torch.Generator, not {type(generator).__name__}"
        )
    if generator.device != wanted:
        raise RuntimeError(
            f"Expected a '{wanted}' device type for generator but found '{generator.device}'"
        )
    return generator


def _require_float(kernel: str, dtype: np.dtype) -> None:
    if dtype.kind != "f":
        raise not_implemented(kernel, type_name(np.empty(0, dtype)))


def _draw_floats(
    generator: Generator, kind: str, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Draw by `standard_normal` or `random`, in the dtype itself; float16 from float32."""
    method = getattr(generator._source, kind)
    if dtype == np.float16:
        return method(shape, np.float32).astype(dtype)
    return method(shape, dtype.type)


# What a compiled program may do first, since nothing but their order matters.
DRAWS = (_draw, _draw_floats, _draw_kept)
for _function in DRAWS:
    vars(_function)["is_draw"] = True


def _cast(array: Array, dtype: np.dtype) -> Array:
    return array if array.dtype == dtype else state.run_silently(_as_dtype, array, dtype)


def _as_dtype(array: Array, dtype: np.dtype) -> Array:
    return array.astype(dtype)


def rand(
    *shape: Any, size: Sequence[int] | None = None, **options: Unpack[RandomOptions]
) -> Tensor:
    """Uniform numbers from [0, 1)."""
    return _floats("rand", "random", "check_uniform_bounds", shape, size, **options)


def randn(
    *shape: Any, size: Sequence[int] | None = None, **options: Unpack[RandomOptions]
) -> Tensor:
    """Numbers of the standard normal distribution."""
    return _floats("randn", "standard_normal", "normal_kernel_cpu", shape, size, **options)


def _floats(
    name: str,
    method: str,
    kernel: str,
    shape: tuple[Any, ...],
    size: Sequence[int] | None,
    generator: Generator | None = None,
    **options: Any,
) -> Tensor:
    wanted, device, requires_grad = settings_of(name, FLOAT32, **options)
    _require_float(kernel, wanted)
    chosen, lengths = _checked(generator, device), shape_of(name, shape, size)
    array = state.run_silently(_draw_floats, chosen, method, lengths, wanted)
    return made(array, None, requires_grad)


def randint(
    low: Any,
    high: Any = None,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Whole numbers from `low`, 0 by default, up to but not including `high`."""
    if size is None:
        low, high, size = 0, low, high
    low, high = integer("randint", low, "low"), integer("randint", high, "high", 2)
    if not isinstance(size, tuple | list):
        raise TypeError(
            "randint(): argument 'size' (position 3) must be tuple of ints, "
            f"not {type(size).__name__}"
        )
    if low >= high:
        raise RuntimeError(
            f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}"
        )
    wanted, device, requires_grad = settings_of("randint", INT64, **options)
    if wanted.kind in "iub":
        limits = (0, 1) if wanted.kind == "b" else (np.iinfo(wanted).min, np.iinfo(wanted).max)
        for text, value in (("from", low), ("to - 1", high - 1)):
            if not limits[0] <= value <= limits[1]:
                raise RuntimeError(f"{text} is out of bounds for {wanted.name}")
    array = draw(generator, device, "integers", low, high, shape_of("randint", (size,)))
    return made(_cast(array, wanted), None, requires_grad)


def randperm(n: int, *, generator: Generator | None = None, **options: Unpack[Options]) -> Tensor:
    """The numbers 0 to n - 1 in a random order."""
    n = integer("randperm", n, "n")
    shape_of("randperm", (n,))
    wanted, device, requires_grad = settings_of("randperm", INT64, **options)
    return made(_cast(draw(generator, device, "permutation", n), wanted), None, requires_grad)


def normal(
    mean: Operand,
    std: Operand = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    **options: Unpack[Options],
) -> Tensor:
    """Normal numbers: with tensors of means or deviations, or `size` numbers of one kind."""
    _, device, requires_grad = settings_of("normal", FLOAT32, **options)
    tensors = [v for v in (mean, std) if isinstance(v, Tensor)]
    if not isinstance(std, Tensor) and std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    if size is not None:
        noise = randn(size, generator=generator, dtype=options.get("dtype"), device=device)
        return made((noise * float(std) + float(mean))._array, None, requires_grad)
    if not tensors:
        raise TypeError("normal() of two numbers needs a size: normal(mean, std, size)")
    if isinstance(std, Tensor) and (std._array < 0).any():
        raise RuntimeError("normal expects all elements of std >= 0.0")
    wanted = tensors[0]._array.dtype
    _require_float("normal_kernel_cpu", wanted)
    shape = tensors[0]._array.shape
    if len(tensors) == 2:
        shape = broadcast_shapes(shape, tensors[1]._array.shape)
    where = next((t.device for t in tensors if t._array.ndim), tensors[0].device)
    chosen = _checked(generator, where)
    noise = state.run_silently(_draw_floats, chosen, "standard_normal", shape, wanted)
    return apply(ops.normal, mean, std, noise=noise)


def rand_like(input: Tensor, **options: Unpack[RandomOptions]) -> Tensor:
    """Uniform numbers from [0, 1) in the shape, dtype and device of `input`."""
    require_tensor("rand_like", input)
    return rand(input.shape, **_like(input, options))


def randn_like(input: Tensor, **options: Unpack[RandomOptions]) -> Tensor:
    """Standard normal numbers in the shape, dtype and device of `input`."""
    require_tensor("randn_like", input)
    return randn(input.shape, **_like(input, options))


def randint_like(
    input: Tensor, low: Any, high: Any = None, **options: Unpack[RandomOptions]
) -> Tensor:
    """Whole numbers from `low`, 0 by default, up to but not including `high`, like `input`."""
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, tuple(input.shape), **_like(input, options))


def _like(input: Tensor, options: RandomOptions) -> RandomOptions:
    """The options with the dtype and device of `input` where none are given."""
    for name in ("dtype", "device"):
        if options.get(name) is None:
            options[name] = getattr(input, name)
    return options


__getattr__ = missing_names(__name__)
