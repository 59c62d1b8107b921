"""Every row of the table of operations: values, gradients, layouts, dtypes, grad modes."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd
import autograd.ops
from autograd.backend import backend_of
from autograd.engine.gradients import backward
from autograd.ops.op import Op
from autograd.tensors.tensor import Tensor
from tests.autograd.op_table import Arguments, Row, all_rows

ROWS = all_rows()
Layout = Callable[[Any, Any], Any]  # the array library, an array: the same elements elsewhere
CASES = [
    pytest.param(row, arguments, id=f"{row.name}-{i}")
    for row in ROWS
    for i, arguments in enumerate(row.samples)
]
DIFFERENTIABLE = [
    pytest.param(row, arguments, id=f"{row.name}-{i}")
    for row in ROWS
    for i, arguments in enumerate(row.samples)
    if row.differentiable
]
IN_TORCH = [
    pytest.param(row, arguments, id=f"{row.name}-{i}")
    for row in ROWS
    for i, arguments in enumerate(row.samples)
    if row.in_torch
]
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
STEP = 1e-6


def is_float(argument: Any) -> bool:
    return isinstance(argument, np.ndarray) and argument.dtype.kind == "f"


def as_tensors(
    arguments: Arguments, dtype: Any = None, device: str = "cpu", layout: Layout | None = None
) -> list[Any]:
    """The arguments as tensors, which on the CPU share the arrays' memory."""
    tensors: list[Any] = []
    for argument in arguments:
        if isinstance(argument, np.ndarray):
            floating = is_float(argument)
            array = argument.astype(dtype) if dtype is not None and floating else argument
            tensor = Tensor._wrap(array).to(device)
            if layout is not None and floating and array.ndim:
                tensor = Tensor._wrap(layout(backend_of(tensor._array), tensor._array))
            tensors.append(
                tensor.requires_grad_() if floating and array.dtype.kind == "f" else tensor
            )
        else:
            tensors.append(argument)
    return tensors


def results_of(value: Any) -> list[Any]:
    """The tensors that a call returned, one or several."""
    return list(value) if isinstance(value, tuple | list) else [value]


def arrays_of(value: Any) -> list[np.ndarray]:
    return [
        np.asarray(r.detach().cpu().numpy() if isinstance(r, Tensor) else r)
        for r in results_of(value)
    ]


def cotangents(results: list[Any]) -> list[np.ndarray]:
    """Fixed gradients for the results, different for every element."""
    return [
        np.cos(np.arange(r.numel(), dtype=np.float64) + 1 + i).reshape(r.shape)
        for i, r in enumerate(results)
    ]


def gradients(function: Callable[..., Any], tensors: list[Any]) -> list[np.ndarray | None]:
    """The gradients of the inputs for the fixed gradients of the results."""
    results = [r for r in results_of(function(autograd, *tensors)) if r.requires_grad]
    weights = [
        Tensor._wrap(c.astype(r._array.dtype)).to(r.device)
        for r, c in zip(results, cotangents(results), strict=True)
    ]
    backward(results, weights)
    return [None if getattr(t, "grad", None) is None else t.grad.cpu().numpy() for t in tensors]


def numerical_gradient(row: Row, arguments: Arguments, position: int) -> np.ndarray:
    """Central differences of the results, weighted with the same fixed gradients."""

    def weighted(array: np.ndarray) -> float:
        changed = (*arguments[:position], array, *arguments[position + 1 :])
        tensors = as_tensors(changed)
        results = [r for r in results_of(row.function(autograd, *tensors)) if r.requires_grad]
        return float(
            sum(
                (r.detach().numpy() * c).sum()
                for r, c in zip(results, cotangents(results), strict=True)
            )
        )

    base = arguments[position]
    slopes = np.zeros(base.shape)
    for index in np.ndindex(base.shape):
        up, down = base.copy(), base.copy()
        up[index] += STEP
        down[index] -= STEP
        slopes[index] = (weighted(up) - weighted(down)) / (2 * STEP)
    return slopes


@pytest.mark.parametrize(("row", "arguments"), CASES)
def test_values(row: Row, arguments: Arguments, device: str) -> None:
    with np.errstate(all="ignore"):
        expected = [np.asarray(e) for e in results_of(row.reference(*arguments))]
    results = row.function(autograd, *as_tensors(arguments, device=device))
    assert {r.device.type for r in results_of(results)} == {device}
    for result, value in zip(arrays_of(results), expected, strict=True):
        assert result.shape == value.shape
        np.testing.assert_allclose(result, value, rtol=row.tolerance, atol=row.tolerance)


@pytest.mark.parametrize(("row", "arguments"), DIFFERENTIABLE)
def test_gradients(row: Row, arguments: Arguments, device: str) -> None:
    found = gradients(row.function, as_tensors(arguments, device=device))
    if device != "cpu":  # whose gradients have been compared with differences
        expected = gradients(row.function, as_tensors(arguments))
        assert_close(found, expected, row.tolerance)
        return
    for position, argument in enumerate(arguments):
        if is_float(argument):
            gradient = found[position]
            if gradient is None:  # as good as zeros
                gradient = np.zeros(argument.shape)
            assert gradient.shape == argument.shape
            numerical = numerical_gradient(row, arguments, position)
            np.testing.assert_allclose(gradient, numerical, rtol=1e-5, atol=1e-7)


def assert_close(found: list[Any], expected: list[Any], tolerance: float) -> None:
    """Arrays of which None is as good as any."""
    for mine, wanted in zip(found, expected, strict=True):
        if wanted is not None:
            assert mine is not None
            np.testing.assert_allclose(mine, wanted, rtol=tolerance, atol=tolerance)


def strided(xp: Any, array: Any) -> Any:
    """The same elements with a gap between any two."""
    wide = xp.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    return wide[..., ::2]


LAYOUTS: dict[str, Layout] = {
    "column-major": lambda xp, array: xp.asfortranarray(array),
    "strided": strided,
    "reversed": lambda xp, array: xp.flip(xp.flip(array).copy()),
}


@EACH
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(row: Row, layout: str, device: str) -> None:
    arguments = row.samples[0]

    def changed() -> list[Any]:
        return as_tensors(arguments, device=device, layout=LAYOUTS[layout])

    plain = arrays_of(row.function(autograd, *as_tensors(arguments)))
    assert_close(arrays_of(row.function(autograd, *changed())), plain, row.tolerance)
    if row.differentiable:
        expected = gradients(row.function, as_tensors(arguments))
        assert_close(gradients(row.function, changed()), expected, 1e-12)


@EACH
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_narrow_dtypes_stay(row: Row, dtype: Any, device: str) -> None:
    wide = results_of(row.function(autograd, *as_tensors(row.samples[0], device=device)))
    tensors = as_tensors(row.samples[0], dtype, device)
    if dtype is np.float16 and not row.half:
        pytest.skip("torch has no float16 form")
    results = results_of(row.function(autograd, *tensors))
    for result, of_float64 in zip(results, wide, strict=True):
        if of_float64.dtype is autograd.float64:
            assert result._array.dtype == dtype
    if row.differentiable:
        for gradient in gradients(row.function, tensors):
            assert gradient is None or gradient.dtype == dtype


@EACH
def test_whole_numbers(row: Row, device: str) -> None:
    arguments = [
        (np.ceil(np.abs(np.nan_to_num(a, posinf=1, neginf=1))) + 1).astype(np.int64)
        if is_float(a)
        else a
        for a in row.samples[0]
    ]
    tensors = as_tensors(tuple(arguments), device=device)
    if not row.whole:
        with pytest.raises((RuntimeError, NotImplementedError)):
            row.function(autograd, *tensors)
    else:
        for result in results_of(row.function(autograd, *tensors)):
            assert result._array.dtype == row.whole
            assert not result.requires_grad


@EACH
def test_nothing_is_recorded_under_no_grad(row: Row) -> None:
    tensors = as_tensors(row.samples[0])
    with autograd.no_grad():
        for result in results_of(row.function(autograd, *tensors)):
            assert result.grad_fn is None


@EACH
def test_the_row_runs_its_operation(row: Row) -> None:
    if not row.differentiable:
        return
    recorded = set()
    for arguments in row.samples:
        for result in results_of(row.function(autograd, *as_tensors(arguments))):
            recorded |= {id(op) for op in recorded_ops(result.grad_fn)}
    assert all(id(op) in recorded for op in row.ops)


def recorded_ops(node: Any) -> Iterator[Op]:
    """The operations from a node back to the leaves."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node is not None and hasattr(node, "plan"):
            yield node.plan.op
            waiting += [edge for edge, _ in node.next_functions]


KINKS = [
    pytest.param(row.function, *kink, id=f"{row.name}-{i}")
    for row in ROWS
    for i, kink in enumerate(row.kinks)
]


@pytest.mark.parametrize(("function", "arguments", "expected"), KINKS)
def test_kinks(
    function: Callable[..., Any], arguments: Arguments, expected: Any, device: str
) -> None:
    tensors = as_tensors(arguments, device=device)
    result = results_of(function(autograd, *tensors))[0]
    result.backward(autograd.ones_like(result))
    for tensor, gradient in zip(tensors, expected, strict=True):
        if gradient is not None:
            np.testing.assert_allclose(tensor.grad.cpu().numpy(), gradient, rtol=1e-12)


def test_every_operation_has_a_row() -> None:
    covered = {id(op) for row in ROWS for op in row.ops}
    missing = [
        f"{module.name}.{name}"
        for module in pkgutil.iter_modules(autograd.ops.__path__)
        for name, op in vars(importlib.import_module(f"autograd.ops.{module.name}")).items()
        if isinstance(op, Op) and id(op) not in covered
    ]
    assert not missing, "give these operations a row in op_rows_<family>.py"


@pytest.mark.torch
@pytest.mark.parametrize(("row", "arguments"), IN_TORCH)
def test_against_torch(row: Row, arguments: Arguments) -> None:
    torch = pytest.importorskip("torch")
    theirs = [
        torch.from_numpy(np.array(a)).requires_grad_(is_float(a))
        if isinstance(a, np.ndarray)
        else a
        for a in arguments
    ]
    ours = as_tensors(arguments)
    their_results = results_of(row.function(torch, *theirs))
    our_results = results_of(row.function(autograd, *ours))
    for mine, other in zip(our_results, their_results, strict=True):
        assert str(mine.dtype) == str(other.dtype)
        assert mine.requires_grad == other.requires_grad
        np.testing.assert_allclose(
            mine.detach().numpy(), other.detach().numpy(), rtol=1e-10, atol=1e-12
        )
    recorded = [r for r in their_results if r.requires_grad]
    if recorded:
        torch.autograd.backward(recorded, [torch.from_numpy(c) for c in cotangents(recorded)])
        for mine, other in zip(gradients(row.function, as_tensors(arguments)), theirs, strict=True):
            if mine is not None:
                np.testing.assert_allclose(mine, other.grad.numpy(), rtol=1e-10, atol=1e-12)
