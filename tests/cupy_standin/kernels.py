"""The project's own kernels: their C++ runs on the host, element by element."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.cupy_standin.counts import recorder
from tests.cupy_standin.host_compiler import argument, compiled, type_name
from tests.cupy_standin.ndarray import check_device, ndarray, new
from tests.cupy_standin.ufuncs import operand


@dataclass(frozen=True)
class Parameter:
    """One declared parameter: of a fixed dtype, or of one that a letter stands for."""

    name: str
    dtype: np.dtype | None
    letter: str
    raw: bool


def parameters(text: str) -> list[Parameter]:
    """The parameters of a declaration such as `raw T x, float32 y`."""
    found = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        *words, kind, name = part.split()
        if words not in ([], ["raw"]):
            raise Exception(f"Unknown keyword {words}")
        if name == "i":
            raise ValueError("Can not use 'i' as a parameter name.")
        letter = kind if len(kind) == 1 else ""
        found.append(Parameter(name, None if letter else np.dtype(kind), letter, bool(words)))
    return found


class Types:
    """What the letters stand for in one call."""

    def __init__(self) -> None:
        self.of: dict[str, np.dtype] = {}

    def take(self, parameter: Parameter, dtype: np.dtype) -> None:
        """An array of this dtype was given; TypeError if the parameter has another."""
        expected = parameter.dtype or self.of.setdefault(parameter.letter, dtype)
        if expected != dtype:
            raise TypeError(f"Type is mismatched. {parameter.name} {dtype} {expected}")

    def find(self, parameter: Parameter) -> np.dtype:
        """The dtype of a parameter; ValueError where no array tells."""
        if parameter.dtype is not None:
            return parameter.dtype
        if parameter.letter not in self.of:
            raise ValueError(f"the type of {parameter.letter} is not known")
        return self.of[parameter.letter]


class ElementwiseKernel:
    """The body of a loop over all elements."""

    def __init__(
        self,
        in_params: str,
        out_params: str,
        operation: str,
        name: str = "kernel",
        reduce_dims: bool = True,
        preamble: str = "",
        no_return: bool = False,
        return_tuple: bool = False,
        **kwargs: Any,
    ) -> None:
        unknown = kwargs.keys() - {"options", "loop_prep", "after_loop"}
        if unknown:
            raise TypeError(f"unexpected keyword arguments {sorted(unknown)}")
        self.in_params, self.out_params = parameters(in_params), parameters(out_params)
        self.nin, self.nout = len(self.in_params), len(self.out_params)
        self.params = self.in_params + self.out_params
        self.operation, self.preamble, self.name = operation, preamble, name
        self.loop_prep = kwargs.get("loop_prep", "")
        self.no_return, self.return_tuple = no_return, return_tuple

    def __call__(
        self, *args: Any, size: int | None = None, stream: Any = None, block_size: int = 128
    ) -> Any:
        if len(args) not in (self.nin, self.nin + self.nout):
            raise TypeError(f"Wrong number of arguments for '{self.name}'")
        for value in args:
            operand(value)  # TypeError for what is neither array nor number
        check_device(*args)
        types = self._types(args)
        shape = self._loop_shape(args, size)
        outs = list(args[self.nin :]) or self._new_outs(types, shape, size)
        self._launch([*args[: self.nin], *outs], types, shape)
        if self.no_return:
            return None
        return outs[0] if self.nout == 1 and not self.return_tuple else tuple(outs)

    def _types(self, args: Any) -> Types:
        types = Types()
        pairs = list(zip(self.params, args, strict=False))
        for parameter, value in pairs[self.nin :] + pairs[: self.nin]:
            if isinstance(value, ndarray):
                types.take(parameter, value.dtype)
        return types

    def _loop_shape(self, args: Any, size: int | None) -> tuple[int, ...]:
        looped = [
            v.shape for p, v in zip(self.params, args, strict=False)
            if isinstance(v, ndarray) and not p.raw
        ]  # fmt: skip
        if size is not None:
            if looped:
                raise ValueError(
                    "Specified 'size' can be used only if all of the ndarray are 'raw'."
                )
            return (size,)
        if not looped:
            raise ValueError("Loop size is undecided.")
        shape = np.broadcast_shapes(*looped)
        for parameter, value in zip(self.out_params, args[self.nin :], strict=False):
            if not parameter.raw and value.shape != shape:
                raise ValueError("Out shape is mismatched")
        return shape

    def _new_outs(self, types: Types, shape: tuple[int, ...], size: int | None) -> list[ndarray]:
        if size is None and any(p.raw for p in self.out_params):
            raise ValueError("Output array size is Undecided")
        return [new(np.empty(shape, types.find(p))) for p in self.out_params]

    def _launch(self, values: list[Any], types: Types, shape: tuple[int, ...]) -> None:
        if 0 in shape:
            return
        recorder.kernel(self.name)
        hosts = []
        for parameter, value in zip(self.params, values, strict=True):
            dtype = types.find(parameter)
            host = value._host if isinstance(value, ndarray) else np.asarray(value).astype(dtype)
            if isinstance(value, ndarray) and not parameter.raw:
                strides = np.broadcast_to(host, shape).strides
                host = np.lib.stride_tricks.as_strided(host, shape, strides)
            hosts.append(host)
        arguments = [argument(host) for host in hosts]
        pointers = (ctypes.c_void_p * len(arguments))(*map(ctypes.addressof, arguments))
        library = compiled(self._source(values, types))
        before = library.wrong_accesses()
        library.run(pointers, ctypes.c_longlong(int(np.prod(shape, dtype=np.int64))))
        if library.wrong_accesses() != before:
            raise AssertionError(f"kernel {self.name} leaves the bounds of a raw array")

    def _source(self, values: list[Any], types: Types) -> str:
        letters = "".join(
            f"typedef {type_name(d)} {letter};\n" for letter, d in sorted(types.of.items())
        )
        before, each = [], []
        for i, (parameter, value) in enumerate(zip(self.params, values, strict=True)):
            kind, name = type_name(types.find(parameter)), parameter.name
            const = "const " if i < self.nin else ""
            if not isinstance(value, ndarray):
                before.append(f"const {kind} {name} = *static_cast<{kind} *>(args[{i}]->data);")
            elif parameter.raw:
                before.append(f"{const}CArray<{kind}> {name}(*args[{i}]);")
            else:
                before.append(f"const CArray<{kind}> _raw_{name}(*args[{i}]);")
                each.append(f"{const}{kind} &{name} = _raw_{name}.at(i);")
        # Backwards, unlike anyone would expect: on a device the elements come in no order.
        return f"""
{letters}
{self.preamble}
extern "C" void run(const Argument *const *args, long long size) {{
  const CIndexer _ind{{size}};
  {" ".join(before)}
  {self.loop_prep};
  for (ptrdiff_t i = size; i--;) {{
    {" ".join(each)}
    {self.operation};
  }}
}}
"""
