"""`gradcheck`: compare the gradients of a function with numerical ones."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd.backend import backend_of
from autograd.engine.grad_mode import no_grad
from autograd.engine.gradients import grad
from autograd.tensors.tensor import Tensor


class GradcheckError(RuntimeError):
    """The gradients of a function differ from the numerical ones."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
) -> bool:
    """Whether the gradients of `func(*inputs)` agree with central differences of step `eps`.

    GradcheckError if they do not, or False without `raise_exception`; ValueError if no input
    requires a gradient. Inputs should be float64.
    """
    inputs = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    chosen = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not chosen:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them "
            "have requires_grad=True."
        )
    _warn_of_precision(inputs, chosen)
    try:
        outputs = _differentiable(func(*inputs))
        for o in range(len(outputs)):
            for i in chosen:
                _compare(func, inputs, i, o, eps, atol, rtol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _warn_of_precision(inputs: tuple[Any, ...], chosen: list[int]) -> None:
    for i in chosen:
        if inputs[i]._array.dtype != np.float64:
            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or "
                "complex. This check will likely fail if all the inputs are not of double "
                "precision.",
                UserWarning,
                stacklevel=3,
            )


def _differentiable(result: Any) -> list[Tensor]:
    return [r for r in _all(result) if r.requires_grad]


def _compare(
    func: Any, inputs: tuple[Any, ...], i: int, o: int, eps: float, atol: float, rtol: float
) -> None:
    analytical = _analytical(func, inputs, i, o)
    numerical = _numerical(func, inputs, i, o, eps)
    if not np.allclose(analytical, numerical, rtol=rtol, atol=atol, equal_nan=True):
        raise GradcheckError(
            f"Jacobian mismatch for output {o} with respect to input {i},\n"
            f"numerical:{numerical}\nanalytical:{analytical}\n"
        )


def _analytical(func: Any, inputs: tuple[Any, ...], i: int, o: int) -> np.ndarray:
    """The Jacobian (elements of the input, elements of the output), a backward for each output."""
    output = _differentiable(func(*inputs))[o]
    jacobian = np.zeros((inputs[i].numel(), output.numel()))
    for k in range(output.numel()):
        unit = np.zeros(output.numel(), output._array.dtype)
        unit[k] = 1
        direction = backend_of(output._array).from_numpy(unit.reshape(output._array.shape))
        (gradient,) = grad(
            output, inputs[i], Tensor._wrap(direction), retain_graph=True, allow_unused=True
        )
        if gradient is not None:
            jacobian[:, k] = gradient.numpy(force=True).ravel()
    return jacobian


def _numerical(func: Any, inputs: tuple[Any, ...], i: int, o: int, eps: float) -> np.ndarray:
    """The Jacobian by central differences."""
    array = inputs[i]._array
    columns = []
    differentiable = [r.requires_grad for r in _all(func(*inputs))]
    place = [k for k, needed in enumerate(differentiable) if needed][o]
    for index in np.ndindex(array.shape):
        before = array[index].item()
        values = []
        for step in (eps, -eps):
            array[index] = before + step
            with no_grad():
                values.append(_all(func(*inputs))[place].numpy(force=True).astype(float).ravel())
        array[index] = before
        columns.append((values[0] - values[1]) / (2 * eps))
    return np.array(columns) if columns else np.zeros((0, 0))


def _all(result: Any) -> list[Tensor]:
    results = result if isinstance(result, tuple | list) else (result,)
    return [r for r in results if isinstance(r, Tensor)]
