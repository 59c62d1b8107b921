"""Invertible functions of random values, with the log-determinants of their Jacobians."""

from __future__ import annotations

import math
from typing import Any

from autograd.creation import tensor
from autograd.distributions import constraints
from autograd.distributions.distribution import sum_rightmost
from autograd.functional.activation import softplus
from autograd.functional.broadcasting import broadcast_shapes
from autograd.tensors.tensor import Tensor

_LOG_2 = math.log(2)


class Transform:
    """The base of all transforms: `y = transform(x)` and `x = transform.inv(y)`.

    With `cache_size` 1 the last pair is kept. Then the inverse of a value just computed is the very
    tensor that it came from: exact, and part of the graph.
    """

    bijective = True
    sign: Any = 1  # of the derivative
    domain: constraints.Constraint = constraints.real
    codomain: constraints.Constraint = constraints.real

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError("cache_size must be 0 or 1")
        self._cache_size = cache_size
        self._cached_x_y: tuple[Any, Any] = (None, None)

    @property
    def event_dim(self) -> int:
        """The number of last dimensions that form one value."""
        return self.domain.event_dim

    @property
    def inv(self) -> Transform:
        """The inverse transform."""
        return _InverseTransform(self)

    def with_cache(self, cache_size: int = 1) -> Transform:
        """This transform with another size of the cache."""
        if self._cache_size == cache_size:
            return self
        return self._copy(cache_size)

    def _copy(self, cache_size: int) -> Transform:
        return type(self)(cache_size)

    def __call__(self, x: Tensor) -> Tensor:
        """Transform values."""
        known_x, known_y = self._cached_x_y
        if x is known_x:
            return known_y
        y = self._call(x)
        if self._cache_size:
            self._cached_x_y = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        known_x, known_y = self._cached_x_y
        if y is known_y:
            return known_x
        x = self._inverse(y)
        if self._cache_size:
            self._cached_x_y = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The logarithm of |dy/dx|, summed over the dimensions of one value."""
        raise NotImplementedError

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of `transform(x)` for x of that shape."""
        return shape

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cached_x_y": (None, None)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _InverseTransform(Transform):
    """The inverse of a transform."""

    def __init__(self, transform: Transform) -> None:
        super().__init__()
        self._inv = transform
        self.domain, self.codomain = transform.codomain, transform.domain
        self.bijective, self.sign = transform.bijective, transform.sign

    @property
    def inv(self) -> Transform:
        """The transform itself."""
        return self._inv

    def __call__(self, x: Tensor) -> Tensor:
        """Undo the transform."""
        return self._inv._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._inv(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """The negative of the transform's."""
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The transform's own, since an inverse here has the same shapes."""
        return self._inv.forward_shape(shape)

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The inverse of the transform with another size of the cache."""
        return self._inv.with_cache(cache_size).inv

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    __hash__ = Transform.__hash__

    def __repr__(self) -> str:
        return f"_InverseTransform({self._inv!r})"


class TanhTransform(Transform):
    """`y = tanh(x)`; with `cache_size=1` the `log_prob` of a fresh sample needs no atanh."""

    codomain = constraints.Interval(-1.0, 1.0)

    def _call(self, x: Tensor) -> Tensor:
        return x.tanh()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.atanh()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """`log(1 - tanh(x)^2)`, in a form that is exact for every x."""
        return 2.0 * (_LOG_2 - x - softplus(-2.0 * x))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TanhTransform)

    __hash__ = Transform.__hash__


class AffineTransform(Transform):
    """`y = loc + scale * x`; the last `event_dim` dimensions are one value."""

    def __init__(
        self, loc: Tensor | float, scale: Tensor | float, event_dim: int = 0, cache_size: int = 0
    ) -> None:
        super().__init__(cache_size)
        self.loc = loc
        self.scale = scale
        real = constraints.real
        self.domain = constraints.IndependentConstraint(real, event_dim) if event_dim else real
        self.codomain = self.domain

    @property
    def sign(self) -> Any:
        """The sign of the scale."""
        if isinstance(self.scale, Tensor):
            return self.scale.sign()
        return (self.scale > 0) - (self.scale < 0)

    def _copy(self, cache_size: int) -> Transform:
        return AffineTransform(self.loc, self.scale, self.event_dim, cache_size)

    def _call(self, x: Tensor) -> Tensor:
        return self.loc + self.scale * x

    def _inverse(self, y: Tensor) -> Tensor:
        return (y - self.loc) / self.scale

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """`log |scale|` for each dimension."""
        if isinstance(self.scale, Tensor):
            result = self.scale.abs().log()
        else:
            result = tensor(math.log(abs(self.scale)), dtype=x.dtype, device=x.device)
        return sum_rightmost(result.expand(x.shape), self.event_dim)

    def forward_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of x, broadcast against loc and scale."""
        for value in (self.loc, self.scale):
            shape = broadcast_shapes(shape, tuple(getattr(value, "shape", ())))
        return shape

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AffineTransform):
            return False
        return _same(self.loc, other.loc) and _same(self.scale, other.scale)

    __hash__ = Transform.__hash__


def _same(first: Tensor | float, second: Tensor | float) -> bool:
    same = first == second
    return bool(same.all()) if isinstance(same, Tensor) else same
