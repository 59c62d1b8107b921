"""A reader of exported policies that needs NumPy and safetensors alone: a file to copy."""

import json
import math

import numpy as np
from safetensors import safe_open


def choose(x, sizes):
    """Return tanh of the first columns, and the best place in each of the groups that follow."""
    groups = np.split(x, x.shape[1] - np.cumsum(sizes[::-1])[::-1], axis=1)
    best = [np.argmax(group, axis=1)[:, None] for group in groups[1:]]
    return np.concatenate([np.tanh(groups[0]), *best], axis=1)


def columns(x, low, high, whole, start, order):
    """Return actions: columns of [-1, 1] between bounds, then choices from `start`; in order."""
    units = x[:, : len(low)].astype(np.float64)
    mixed = low * (0.5 - units / 2) + (high + whole) * (0.5 + units / 2)
    mixed = np.clip(np.where(whole > 0, np.floor(mixed), mixed), low, high)
    return np.concatenate([mixed, x[:, len(low) :] + start], axis=1)[:, order]


def image(x, shape, is_last):
    """Return (n, channels, height, width) of flattened images; frames of a stack are channels."""
    x = x.reshape(len(x), -1, *shape[-3:])
    x = x.transpose(0, 1, 4, 2, 3) if is_last else x
    return x.reshape(len(x), -1, *x.shape[-2:])


def conv(x, weight, bias, stride):
    """Return the convolution of images (n, channels, height, width)."""
    patches = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], (2, 3))
    patches = patches[:, :, :: stride[0], :: stride[1]].transpose(0, 2, 3, 1, 4, 5)
    rows = patches.reshape(-1, weight[0].size) @ weight.reshape(len(weight), -1).T + bias
    return rows.reshape(*patches.shape[:3], -1).transpose(0, 3, 1, 2)


LAYERS: dict = {
    "take": lambda x, columns: x[:, columns],
    "image": image,
    "conv": conv,
    "flatten": lambda x: x.reshape(len(x), -1),
    "scale": lambda x, factor: x * factor,
    "standardise": lambda x, mean, factor, limit: np.clip((x - mean) * factor, -limit, limit),
    "linear": lambda x, weight, bias: x @ weight.T + bias,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "gelu": lambda x: x / 2 * (1 + np.vectorize(math.erf, otypes="f")(x / math.sqrt(2))),
    "silu": lambda x: x * np.exp(-np.logaddexp(0, -x)),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "batch_norm": lambda x, mean, factor, weight, bias: (x - mean) * factor * weight + bias,
    "layer_norm": lambda x, weight, bias, eps: (
        (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + eps) * weight + bias
    ),
    "rms_norm": lambda x, weight, eps: x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * weight,
    "rescale": lambda x, low, high: np.clip(low * (0.5 - x / 2) + high * (0.5 + x / 2), low, high),
    "choose": choose,
    "columns": columns,
    "argmax": lambda x, start: np.argmax(x, axis=1) + start,  # of files of earlier versions
    "affine": lambda x, scale, shift: x * scale + shift,  # of such, too
}


class NumpyPolicy:
    """The deterministic policy in a file of `export.py --format numpy`."""

    def __init__(self, path):
        with safe_open(path, "numpy") as file:
            self.about = json.loads(file.metadata()["policy"])  # layers, observation, action
            self.layers = [
                (layer["kind"], [file.get_tensor(name) for name in layer["tensors"]])
                for layer in self.about["layers"]
            ]

    def __call__(self, observations):
        """Return actions (n, ...) in the environment's units for raw observations (n, ...)."""
        x, shape = np.asarray(observations), tuple(self.about["observation"]["shape"])
        if x.ndim == 0 or x.shape[1:] != shape:
            expected = ", ".join(map(str, ("n", *shape)))
            raise ValueError(f"expected observations of shape ({expected}), got {x.shape}")
        x = x.reshape(len(x), math.prod(shape)).astype(np.float32)
        if not np.isfinite(x).all():
            raise ValueError(f"expected finite observations, got {x[~np.isfinite(x)][0]}")
        forks = []
        for kind, tensors in self.layers:
            if kind == "fork":  # of a residual block, or of parts of an observation
                forks.append(x)
            elif kind == "join":
                x = x + forks.pop()
            elif kind == "swap":
                x, forks[-1] = forks[-1], x
            elif kind == "concat":
                x = np.concatenate([forks.pop(), x], axis=1)
            else:
                x = LAYERS[kind](x, *tensors)
        action = self.about["action"]
        return x.reshape(len(x), *action["shape"]).astype(action["dtype"])
