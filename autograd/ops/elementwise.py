"""Functions of one array, element by element."""

from __future__ import annotations

from autograd.ops.op import op

exp = op("Exp", lambda xp, input: xp.exp(input), promote="float",
         input=lambda xp, g, out: g * out)  # fmt: skip

log = op("Log", lambda xp, input: xp.log(input), promote="float",
         input=lambda xp, g, input: g / input)  # fmt: skip

sqrt = op("Sqrt", lambda xp, input: xp.sqrt(input), promote="float",
          input=lambda xp, g, out: g / (2 * out))  # fmt: skip

tanh = op("Tanh", lambda xp, input: xp.tanh(input), promote="float",
          input=lambda xp, g, out: g * (1 - out * out))  # fmt: skip

relu = op("Relu", lambda xp, input: xp.maximum(input, 0),
          input=lambda xp, g, out: g * (out > 0))  # fmt: skip

abs = op("Abs", lambda xp, input: xp.abs(input),  # noqa: A001
         input=lambda xp, g, input: g * xp.sign(input))  # fmt: skip

softplus = op("Softplus", lambda xp, input: xp.logaddexp(input, 0),
              input=lambda xp, g, out: g * -xp.expm1(-out))  # fmt: skip


def _clamp(xp, input, *, min, max):  # type: ignore[no-untyped-def]
    return xp.minimum(xp.maximum(input, -xp.inf if min is None else min), xp.inf if max is None else max)


clamp = op("Clamp", _clamp,
           input=lambda xp, g, input, min, max: g * ((input >= (-xp.inf if min is None else min)) & (input <= (xp.inf if max is None else max))))  # fmt: skip
