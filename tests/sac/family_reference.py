"""Networks and losses of the SAC family written out in NumPy float64.

Nothing of `sac` or `autograd` is used: a network comes in as its saved arrays, by the number of the
layer and the name of the part.
"""

from collections import defaultdict
from collections.abc import Mapping
from statistics import NormalDist

import numpy as np

Net = Mapping[int, Mapping[str, np.ndarray]]


def nets_of(state: Mapping[str, np.ndarray], prefix: str) -> Net:
    """The layers below a prefix such as `soft_q_nets.0.net.layers.`, in float64."""
    net: dict[int, dict[str, np.ndarray]] = defaultdict(dict)
    for name, array in state.items():
        if name.startswith(prefix):
            number, part = name.removeprefix(prefix).split(".")
            net[int(number)][part] = array.astype(np.float64)
    return net


def linear(x: np.ndarray, layer: Mapping[str, np.ndarray]) -> np.ndarray:
    return x @ layer["weight"].T + layer.get("bias", 0)


def layer_norm(x: np.ndarray, layer: Mapping[str, np.ndarray]) -> np.ndarray:
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * layer["weight"] + layer["bias"]


def rms_norm(x: np.ndarray, layer: Mapping[str, np.ndarray]) -> np.ndarray:
    return x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-5) * layer["weight"]


def batch_norm(x: np.ndarray, layer: Mapping[str, np.ndarray], *, by_batch: bool) -> np.ndarray:
    mean = x.mean(0) if by_batch else layer["running_mean"]
    variance = x.var(0) if by_batch else layer["running_var"]
    return (x - mean) / np.sqrt(variance + 1e-5) * layer["weight"] + layer["bias"]


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0)


def plain(net: Net, x: np.ndarray, *, by_batch: bool) -> np.ndarray:
    *hidden, last = sorted(net)
    for i in hidden:
        x = relu(linear(x, net[i]))
    return linear(x, net[last])


def with_layer_norm(net: Net, x: np.ndarray, *, by_batch: bool) -> np.ndarray:
    """Linear, LayerNorm, relu; numbers of layers count the relus, too."""
    *hidden, last = sorted(net)
    for first, second in zip(hidden[::2], hidden[1::2], strict=True):
        x = relu(layer_norm(linear(x, net[first]), net[second]))
    return linear(x, net[last])


def with_batch_norm(net: Net, x: np.ndarray, *, by_batch: bool) -> np.ndarray:
    """BatchNorm before each linear layer."""
    numbers = sorted(net)
    for first, second in zip(numbers[::2], numbers[1::2], strict=True):
        x = linear(batch_norm(x, net[first], by_batch=by_batch), net[second])
        if second != numbers[-1]:
            x = relu(x)
    return x


def simba(net: Net, x: np.ndarray, *, by_batch: bool) -> np.ndarray:
    first, *blocks, norm, last = sorted(net)
    x = linear(x, net[first])
    for i in range(0, len(blocks), 3):
        a, b, c = blocks[i : i + 3]
        x = x + linear(relu(linear(layer_norm(x, net[a]), net[b])), net[c])
    return linear(layer_norm(x, net[norm]), net[last])


def flashsac(net: Net, x: np.ndarray, *, by_batch: bool) -> np.ndarray:
    first, second, *blocks, norm, last = sorted(net)
    x = linear(batch_norm(x, net[first], by_batch=by_batch), net[second])
    for i in range(0, len(blocks), 4):
        before = x
        for a, b in (blocks[i : i + 2], blocks[i + 2 : i + 4]):
            x = relu(batch_norm(linear(x, net[a]), net[b], by_batch=by_batch))
        x = x + before
    return linear(rms_norm(x, net[norm]), net[last])


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def quantile_loss(quantiles: np.ndarray, samples: np.ndarray) -> float:
    """The mean over rows, quantiles and samples; one network's quantiles (rows, m)."""
    m = quantiles.shape[1]
    level = ((np.arange(m) + 0.5) / m)[None, :, None]
    error = samples[:, None, :] - quantiles[:, :, None]
    huber = np.where(np.abs(error) <= 1, error**2 / 2, np.abs(error) - 0.5)
    return float((np.abs(level - (error < 0)) * huber).mean())


def projected(shares: np.ndarray, places: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Shares of atoms at other places as shares of `atoms`, by triangles around each."""
    width = atoms[1] - atoms[0]
    places = np.clip(places, atoms[0], atoms[-1])
    nearness = np.maximum(0, 1 - np.abs(places[:, :, None] - atoms) / width)
    return (shares[:, :, None] * nearness).sum(1)


def cross_entropy(logits: np.ndarray, shares: np.ndarray) -> float:
    return float(-(shares * np.log(softmax(logits))).sum(1).mean())


def mean_of_bins(logits: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return (softmax(logits) * (edges[1:] + edges[:-1]) / 2).sum(-1, keepdims=True)


def gaussian_shares(value: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """The shares of bins under a Gaussian around each value (rows, 1), 0.75 bins wide."""
    std = 0.75 * (edges[1] - edges[0])
    below = np.vectorize(NormalDist().cdf)((edges - np.clip(value, edges[0], edges[-1])) / std)
    shares = np.diff(below, axis=1)
    return shares / shares.sum(1, keepdims=True)
