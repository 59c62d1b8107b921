"""Functions of all parameters at once: clip their gradients, lay them out as one vector."""

from __future__ import annotations

import math
from collections.abc import Iterable

from autograd.backend import Array
from autograd.creation import tensor
from autograd.engine.capture import effect
from autograd.engine.grad_mode import state
from autograd.errors import missing_names
from autograd.functional.joining import cat, stack
from autograd.nn.parameter import type_name
from autograd.tensors.tensor import Tensor


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale all gradients together to a norm of at most `max_norm`; return the norm before.

    `foreach` chooses between implementations in torch; here there is one.

    Raises:
        RuntimeError: with `error_if_nonfinite`, the norm is infinite or NaN.
    """
    # A list: a captured function clips again and again, and an iterator would be used up.
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return _clip_grad_norm_(listed, max_norm, norm_type, error_if_nonfinite)


@effect
def _clip_grad_norm_(
    parameters: list[Tensor], max_norm: float, norm_type: float, error_if_nonfinite: bool
) -> Tensor:
    grads = _gradients(parameters)
    total = _total_norm(grads, float(norm_type))
    if error_if_nonfinite and not math.isfinite(total.item()):
        raise RuntimeError(
            f"The total norm of order {float(norm_type)} for gradients from `parameters` is "
            "non-finite, so it cannot be clipped. To disable this error and scale the gradients by "
            "the non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    factor = (float(max_norm) / (total + 1e-6)).clamp(max=1.0)
    for grad in grads:
        state.run_silently(_scale, grad._array, factor._array)
        grad._bump_version()
    return total


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Clamp every element of the gradients to [-clip_value, clip_value]."""
    clip_value = float(clip_value)
    for grad in _gradients(parameters):
        grad.detach().clamp_(min=-clip_value, max=clip_value)


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """Concatenate the parameters into one vector; differentiable."""
    return cat([param.reshape(-1) for param in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Make the parameters views of consecutive parts of a vector."""
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type_name(vec)}")
    start = 0
    for param in parameters:
        stop = start + param.numel()
        param.data = vec[start:stop].view_as(param).data
        start = stop


def _scale(array: Array, factor: Array) -> None:
    array *= factor.astype(array.dtype)


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [param.grad for param in listed if param.grad is not None]


def _total_norm(grads: list[Tensor], norm_type: float) -> Tensor:
    """The norm of all gradients as if they were one vector, 0-d."""
    if not grads:
        return tensor(0.0)
    norms = [grad.detach().norm(norm_type) for grad in grads]
    return stack([norm.to(norms[0].device) for norm in norms]).norm(norm_type)


__getattr__ = missing_names(__name__)
