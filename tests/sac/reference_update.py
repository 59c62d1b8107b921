"""One soft actor-critic update written out in NumPy float64, with numerical gradients.

Nothing of `sac` or `autograd` is used: weights come in as lists of (weight, bias), noise as arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Layers = list[tuple[np.ndarray, np.ndarray]]
LOG_STD_RANGE = (-20.0, 2.0)


def mlp(layers: Layers, x: np.ndarray) -> np.ndarray:
    for weight, bias in layers[:-1]:
        x = np.maximum(x @ weight.T + bias, 0)
    weight, bias = layers[-1]
    return x @ weight.T + bias


def squashed_gaussian(parameters: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Action and log-probability; the density of tanh(u) by its definition, for moderate u."""
    n = noise.shape[1]
    mean, log_std = parameters[:, :n], np.clip(parameters[:, n:], *LOG_STD_RANGE)
    u = mean + np.exp(log_std) * noise
    normal = -0.5 * noise**2 - log_std - 0.5 * np.log(2 * np.pi)
    log_prob = (normal - np.log(1 - np.tanh(u) ** 2)).sum(1, keepdims=True)
    return np.tanh(u), log_prob


def log_softmax(logits: np.ndarray) -> np.ndarray:
    return logits - np.log(np.exp(logits).sum(1, keepdims=True))


def gradient(loss: Callable[[], float], array: np.ndarray, eps: float = 1e-6) -> np.ndarray:
    """Central differences of `loss` with respect to every element of `array`, changed in place."""
    result = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        kept = array[index]
        array[index] = kept + eps
        above = loss()
        array[index] = kept - eps
        result[index] = (above - loss()) / (2 * eps)
        array[index] = kept
    return result


@dataclass
class Update:
    """The quantities of one update, before any optimizer has stepped."""

    policy: Layers
    soft_q: list[Layers]
    target_soft_q: list[Layers]
    alpha: float
    batch: dict[str, np.ndarray]
    next_noise: np.ndarray | None  # None for discrete actions
    noise: np.ndarray | None

    def soft_value(
        self, observation: np.ndarray, nets: list[Layers], noise: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """V(s) by one action drawn with `noise`, or by the sum over all; and the entropy."""
        output = mlp(self.policy, observation)
        if noise is None:
            log_probs = log_softmax(output)
            q = np.minimum.reduce([mlp(net, observation) for net in nets])
            probs = np.exp(log_probs)
            value = (probs * (q - self.alpha * log_probs)).sum(1, keepdims=True)
            return value, -(probs * log_probs).sum(1, keepdims=True)
        action, log_prob = squashed_gaussian(output, noise)
        pair = np.concatenate([observation, action], 1)
        q = np.minimum.reduce([mlp(net, pair) for net in nets])
        return q - self.alpha * log_prob, -log_prob

    def target(self) -> np.ndarray:
        value, _ = self.soft_value(
            self.batch["next_observation"], self.target_soft_q, self.next_noise
        )
        return self.batch["reward"] + self.batch["discount"] * value

    def q_value(self, net: Layers) -> np.ndarray:
        observation, action = self.batch["observation"], self.batch["action"]
        if self.noise is None:
            return np.take_along_axis(mlp(net, observation), action, 1)
        return mlp(net, np.concatenate([observation, action], 1))

    def q_loss(self, net: Layers) -> float:
        return float(0.5 * ((self.q_value(net) - self.target()) ** 2).mean())

    def policy_loss(self) -> float:
        return float(-self.soft_value(self.batch["observation"], self.soft_q, self.noise)[0].mean())

    def entropy(self) -> np.ndarray:
        return self.soft_value(self.batch["observation"], self.soft_q, self.noise)[1]
