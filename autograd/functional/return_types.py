"""Named tuples for operations with several results, with torch's repr."""

from __future__ import annotations

from typing import Any, NamedTuple


def _repr(self: Any) -> str:
    fields = zip(self._fields, self, strict=True)
    body = ",\n".join(f"{name}={value!r}" for name, value in fields)
    return f"torch.return_types.{type(self).__name__}(\n{body})"


class _ValuesAndIndices(NamedTuple):
    values: Any
    indices: Any


# A class for each, because users see its name.
max = type("max", (_ValuesAndIndices,), {"__slots__": (), "__repr__": _repr})
min = type("min", (_ValuesAndIndices,), {"__slots__": (), "__repr__": _repr})
sort = type("sort", (_ValuesAndIndices,), {"__slots__": (), "__repr__": _repr})
topk = type("topk", (_ValuesAndIndices,), {"__slots__": (), "__repr__": _repr})
median = type("median", (_ValuesAndIndices,), {"__slots__": (), "__repr__": _repr})
