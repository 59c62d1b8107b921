"""A policy as an ONNX model, and a runner of such models."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from sac.export.layers import Policy

# Old versions, which every runtime of the last years knows.
OPSET, IR_VERSION = 17, 8
OPERATOR_OF = {
    "flatten": "Flatten",
    "relu": "Relu",
    "tanh": "Tanh",
    "elu": "Elu",
    "leaky_relu": "LeakyRelu",
}


def encode(policy: Policy) -> bytes:
    """Return the bytes of an ONNX file, with the input `observation` and the output `action`."""
    graph = _Graph()
    # float32 first, as the agent itself rounds float64 observations.
    x = graph.cast(graph.add("Flatten", "observation"), np.dtype(np.float32))
    forks: list[str] = []
    for layer in policy.layers:
        if layer.kind in LAYERS_OF_ARRAYS:
            x = LAYERS_OF_ARRAYS[layer.kind](graph, x, layer.arrays)
        elif layer.kind == "fork":  # of a residual block, or of parts of an observation
            forks.append(x)
        elif layer.kind == "join":
            x = graph.add("Add", x, forks.pop())
        elif layer.kind == "swap":
            x, forks[-1] = forks[-1], x
        elif layer.kind == "concat":
            x = graph.add("Concat", forks.pop(), x, axis=1)
        else:
            names = {name: graph.constant(array) for name, array in layer.arrays.items()}
            x = _add_layer(graph, layer.kind, x, names)
    shape = graph.constant(np.array([-1, *policy.action_shape], np.int64))
    x = graph.cast(graph.add("Reshape", x, shape), policy.action_dtype)
    graph.add("Identity", x, output="action")
    model = onnx.helper.make_model(
        onnx.helper.make_graph(
            graph.nodes,
            "policy",
            [_described("observation", policy.observation_dtype, policy.observation_shape)],
            [_described("action", policy.action_dtype, policy.action_shape)],
            graph.constants,
        ),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="sac",
    )
    onnx.helper.set_model_props(model, {n: json.dumps(s) for n, s in policy.spaces.items()})
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def runner(data: bytes) -> Callable[[NDArray[Any]], NDArray[Any]]:
    """Return the function from observations to actions in the bytes of a file."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return lambda observations: session.run(["action"], {"observation": observations})[0]


class _Graph:
    """Nodes and constants of a graph, named by their numbers."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        name = f"x{len(self.nodes)}" if output is None else output
        self.nodes.append(onnx.helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, array: NDArray[Any]) -> str:
        """Add a constant and return its name."""
        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def cast(self, x: str, dtype: np.dtype) -> str:
        """Return the name of `x` in another dtype."""
        return self.add("Cast", x, to=_element_type(dtype))


def _add_layer(graph: _Graph, kind: str, x: str, names: dict[str, str]) -> str:
    match kind:
        case "scale":
            return graph.add("Mul", x, names["factor"])
        case "standardise":
            x = graph.add("Mul", graph.add("Sub", x, names["mean"]), names["factor"])
            lowest = graph.add("Neg", names["limit"])
            return graph.add("Clip", x, lowest, names["limit"])
        case "linear":
            return graph.add("Gemm", x, names["weight"], names["bias"], transB=1)
        case "batch_norm":
            x = graph.add("Mul", graph.add("Sub", x, names["mean"]), names["factor"])
            return graph.add("Add", graph.add("Mul", x, names["weight"]), names["bias"])
        case "layer_norm" | "rms_norm":
            return _add_norm(graph, kind, x, names)
        case "silu":
            return graph.add("Mul", x, graph.add("Sigmoid", x))
        case "gelu":
            return _add_gelu(graph, x)
        case "rescale":
            return _add_rescale(graph, x, names["low"], names["high"])
        case _:
            return graph.add(OPERATOR_OF[kind], x)


def _add_norm(graph: _Graph, kind: str, x: str, names: dict[str, str]) -> str:
    """Add LayerNorm or RMSNorm over the last axis by elementary operators, as any runtime has."""
    if kind == "layer_norm":
        x = graph.add("Sub", x, graph.add("ReduceMean", x, axes=[-1], keepdims=1))
    variance = graph.add("ReduceMean", graph.add("Mul", x, x), axes=[-1], keepdims=1)
    x = graph.add("Div", x, graph.add("Sqrt", graph.add("Add", variance, names["eps"])))
    x = graph.add("Mul", x, names["weight"])
    return graph.add("Add", x, names["bias"]) if kind == "layer_norm" else x


def _add_gelu(graph: _Graph, x: str) -> str:
    """Add x / 2 (1 + erf(x / sqrt 2)): the opset has no operator Gelu yet."""
    root, one, half = (graph.constant(np.array(n, np.float32)) for n in (math.sqrt(2), 1, 0.5))
    distribution = graph.add("Add", graph.add("Erf", graph.add("Div", x, root)), one)
    return graph.add("Mul", graph.add("Mul", x, half), distribution)


def _add_rescale(graph: _Graph, x: str, low: str, high: str) -> str:
    """Add low (1 - share) + high share, within the bounds, as ActionCodec.to_environment."""
    half, one = graph.constant(np.array(0.5)), graph.constant(np.array(1.0))
    share = graph.add("Mul", graph.cast(x, np.dtype(np.float64)), half)
    share = graph.add("Add", share, half)
    below = graph.add("Mul", low, graph.add("Sub", one, share))
    mixed = graph.add("Add", below, graph.add("Mul", high, share))
    return graph.add("Min", graph.add("Max", mixed, low), high)


def _slice(graph: _Graph, x: str, start: int, stop: int) -> str:
    """Return the name of columns."""
    ends = (graph.constant(np.array([end], np.int64)) for end in (start, stop, 1))
    return graph.add("Slice", x, *ends)


def _add_choice(graph: _Graph, x: str, arrays: dict[str, NDArray[Any]]) -> str:
    """Add tanh of the first columns, and the best place in each of the groups at the end."""
    sizes: list[int] = arrays["sizes"].tolist()
    first = -sum(sizes)
    last = np.iinfo(np.int64).max
    means = graph.add("Tanh", _slice(graph, x, 0, first or last))
    parts = [graph.cast(means, np.dtype(np.float64))]
    for n in sizes:
        stop = first + n or last
        best = graph.add("ArgMax", _slice(graph, x, first, stop), axis=1, keepdims=1)
        parts.append(graph.cast(best, np.dtype(np.float64)))
        first += n
    return graph.add("Concat", *parts, axis=1)


def _add_columns(graph: _Graph, x: str, arrays: dict[str, NDArray[Any]]) -> str:
    """Add what the codecs of whole numbers, of categories and of parts do to policy units."""
    low, high, whole = arrays["low"], arrays["high"], arrays["whole"]
    x, n = graph.cast(x, np.dtype(np.float64)), len(low)
    parts = []
    if n:
        names = map(graph.constant, (low, high + whole))
        mixed = _add_rescale(graph, _slice(graph, x, 0, n), *names)
        is_whole = graph.constant(whole > 0)
        mixed = graph.add("Where", is_whole, graph.add("Floor", mixed), mixed)
        parts = [graph.add("Min", mixed, graph.constant(high))]
    if len(arrays["start"]):
        rest = _slice(graph, x, n, np.iinfo(np.int64).max)
        parts.append(graph.add("Add", rest, graph.constant(arrays["start"])))
    order = graph.constant(arrays["order"])
    return graph.add("Gather", graph.add("Concat", *parts, axis=1), order, axis=1)


def _add_take(graph: _Graph, x: str, arrays: dict[str, NDArray[Any]]) -> str:
    return graph.add("Gather", x, graph.constant(arrays["columns"]), axis=1)


def _add_image(graph: _Graph, x: str, arrays: dict[str, NDArray[Any]]) -> str:
    """Add images with their channels first, to which the frames of a stack belong."""
    *frames, a, b, c = arrays["shape"].tolist()

    def reshaped(x: str, *shape: int) -> str:
        return graph.add("Reshape", x, graph.constant(np.array([-1, *shape], np.int64)))

    count = math.prod(frames)
    if not arrays["is_last"]:
        return reshaped(x, count * a, b, c)
    x = graph.add("Transpose", reshaped(x, count, a, b, c), perm=[0, 1, 4, 2, 3])
    return reshaped(x, count * c, a, b)


def _add_conv(graph: _Graph, x: str, arrays: dict[str, NDArray[Any]]) -> str:
    names = (graph.constant(arrays[name]) for name in ("weight", "bias"))
    return graph.add("Conv", x, *names, strides=arrays["stride"].tolist())


LAYERS_OF_ARRAYS = {
    "choose": _add_choice,
    "columns": _add_columns,
    "take": _add_take,
    "image": _add_image,
    "conv": _add_conv,
}


def _described(name: str, dtype: np.dtype, shape: tuple[int, ...]) -> Any:
    return onnx.helper.make_tensor_value_info(name, _element_type(dtype), ["batch", *shape])


def _element_type(dtype: np.dtype) -> int:
    return onnx.helper.np_dtype_to_tensor_dtype(dtype)
