"""Random tensors, and the default generators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.backend import Array, resolved
from autograd.creation import made
from autograd.dtypes import CPU, DeviceLike, DTypeLike, device_argument, dtype_argument, type_name
from autograd.engine.apply import apply
from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.errors import not_implemented
from autograd.functional.broadcasting import broadcast_shapes
from autograd.functional.checks import integer, require_tensor, shape_of
from autograd.generator import Generator
from autograd.ops import random as ops
from autograd.tensors.tensor import Tensor

if TYPE_CHECKING:
    from autograd.types import Operand

FLOAT32, INT64 = np.dtype(np.float32), np.dtype(np.int64)

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


def _float_dtype(
    name: str, dtype: DTypeLike | None, kernel: str, default: np.dtype = FLOAT32
) -> np.dtype:
    wanted = default if dtype is None else dtype_argument(name, dtype)
    if wanted.kind != "f":
        raise not_implemented(kernel, type_name(np.empty(0, wanted)))
    return wanted


def _draw_floats(
    generator: Generator, kind: str, shape: tuple[int, ...], dtype: np.dtype
) -> np.ndarray:
    """Draw by `standard_normal` or `random`, in the dtype itself; float16 from float32."""
    method = getattr(generator._source, kind)
    if dtype == np.float16:
        return method(shape, np.float32).astype(dtype)
    return method(shape, dtype.type)


def _cast(array: Array, dtype: np.dtype) -> Array:
    return array if array.dtype == dtype else state.run_silently(_as_dtype, array, dtype)


def _as_dtype(array: Array, dtype: np.dtype) -> Array:
    return array.astype(dtype)


def rand(
    *shape: Any,
    size: Sequence[int] | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform numbers from [0, 1)."""
    wanted = _float_dtype("rand", dtype, "check_uniform_bounds")
    chosen, lengths = _checked(generator, device), shape_of("rand", shape, size)
    array = state.run_silently(_draw_floats, chosen, "random", lengths, wanted)
    return made(array, None, requires_grad)


def randn(
    *shape: Any,
    size: Sequence[int] | None = None,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Numbers of the standard normal distribution."""
    wanted = _float_dtype("randn", dtype, "normal_kernel_cpu")
    chosen, lengths = _checked(generator, device), shape_of("randn", shape, size)
    array = state.run_silently(_draw_floats, chosen, "standard_normal", lengths, wanted)
    return made(array, None, requires_grad)


def randint(
    low: Any,
    high: Any = None,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
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
    wanted = INT64 if dtype is None else dtype_argument("randint", dtype)
    if wanted.kind in "iub":
        limits = (0, 1) if wanted.kind == "b" else (np.iinfo(wanted).min, np.iinfo(wanted).max)
        for text, value in (("from", low), ("to - 1", high - 1)):
            if not limits[0] <= value <= limits[1]:
                raise RuntimeError(f"{text} is out of bounds for {wanted.name}")
    array = draw(generator, device, "integers", low, high, shape_of("randint", (size,)))
    return made(_cast(array, wanted), None, requires_grad)


def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """The numbers 0 to n - 1 in a random order."""
    n = integer("randperm", n, "n")
    shape_of("randperm", (n,))
    wanted = INT64 if dtype is None else dtype_argument("randperm", dtype)
    return made(_cast(draw(generator, device, "permutation", n), wanted), None, requires_grad)


def normal(
    mean: Operand,
    std: Operand = 1.0,
    size: Sequence[int] | None = None,
    *,
    generator: Generator | None = None,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers: with tensors of means or deviations, or `size` numbers of one kind."""
    tensors = [v for v in (mean, std) if isinstance(v, Tensor)]
    if not isinstance(std, Tensor) and std < 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std}")
    if size is not None:
        noise = randn(size, generator=generator, dtype=dtype, device=device)
        return made((noise * float(std) + float(mean))._array, None, requires_grad)
    if not tensors:
        raise TypeError("normal() of two numbers needs a size: normal(mean, std, size)")
    if isinstance(std, Tensor) and (std._array < 0).any():
        raise RuntimeError("normal expects all elements of std >= 0.0")
    wanted = _float_dtype("normal", None, "normal_kernel_cpu", tensors[0]._array.dtype)
    shape = tensors[0]._array.shape
    if len(tensors) == 2:
        shape = broadcast_shapes(shape, tensors[1]._array.shape)
    where = next((t.device for t in tensors if t._array.ndim), tensors[0].device)
    chosen = _checked(generator, where)
    noise = state.run_silently(_draw_floats, chosen, "standard_normal", shape, wanted)
    return apply(ops.normal, mean, std, noise=noise)


def rand_like(input: Tensor, *, generator: Generator | None = None, **options: Any) -> Tensor:
    """Uniform numbers from [0, 1) in the shape, dtype and device of `input`."""
    return _like("rand_like", rand, input, generator, **options)


def randn_like(input: Tensor, *, generator: Generator | None = None, **options: Any) -> Tensor:
    """Standard normal numbers in the shape, dtype and device of `input`."""
    return _like("randn_like", randn, input, generator, **options)


def randint_like(input: Tensor, low: Any, high: Any = None, **options: Any) -> Tensor:
    """Whole numbers from `low`, 0 by default, up to but not including `high`, like `input`."""
    low, high = (0, low) if high is None else (low, high)
    options.setdefault("dtype", input.dtype)
    return randint(low, high, tuple(input.shape), **options)


def _like(
    name: str,
    draw: Callable[..., Tensor],
    input: Tensor,
    generator: Generator | None,
    *,
    dtype: DTypeLike | None = None,
    device: DeviceLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    require_tensor(name, input)
    return draw(
        tuple(input.shape),
        generator=generator,
        dtype=input.dtype if dtype is None else dtype,
        device=input.device if device is None else device,
        requires_grad=requires_grad,
    )
