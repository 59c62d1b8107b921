"""Distributions behind a run's averages: actions, values, errors, weights and gradients.

They come from the losses of a copy of the agent, so that training sees nothing of it.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import no_grad
from sac.insight.recording import Recording, record_losses, twin_of
from sac.seeding import Streams

if TYPE_CHECKING:
    from sac.agent.agent import SACAgent
    from sac.replay.batch import Batch

BUCKETS = 30  # as many as TensorBoard draws
MAX_DIMENSIONS = 8  # of actions that have a histogram each; more are taken together
Values = tuple[str, NDArray[Any]]  # a histogram's tag, and the numbers


def update_values(agent: "SACAgent", batch: "Batch", seed: int) -> Iterator[Values]:
    """Yield what an update of the agent on this batch sees and computes; the agent stays as it is.

    Gradients are those of the losses, before any clipping.

    Args:
        agent: Whose copy computes it.
        batch: What it is computed on.
        seed: Of the actions.
    """
    twin = twin_of(agent)
    twin.load_weights(agent.state_dict())
    twin.renew_noise(Streams.from_seed(seed), 0)
    yield from _policy(twin, batch, seed)
    recording = Recording()
    record_losses(twin, twin.transitions(batch)._asdict(), recording, whole=False)
    for loss in recording.losses.values():
        loss.backward()
    target = _array(recording.target)
    yield "q/target", target
    for i, q_value in enumerate(map(_array, recording.q_values), start=1):
        yield f"q/q{i}", q_value
        yield f"q/q{i}_td_error", target - q_value
    for name, layer in _layers(twin):
        parameters = list(layer.parameters())
        yield f"weights/{name}", _joined(parameters)
        yield f"gradients/{name}", _joined([parameter.grad for parameter in parameters])


def _policy(agent: "SACAgent", batch: "Batch", seed: int) -> Iterator[Values]:
    actions = agent.sample(batch.observation, np.random.default_rng(seed))
    with no_grad():
        outputs = _array(agent.policy_net.net(agent.observation_input(batch.observation)))
    if agent.action_codec.is_discrete:
        yield "policy/action", actions
        yield "policy/logit", outputs
        return
    flat = actions.reshape(len(actions), -1)
    lowest, highest = agent.config.log_std_min, agent.config.log_std_max
    yield from _dimensions("policy/action", flat)
    log_std = np.clip(outputs[:, flat.shape[1] :], lowest, highest)
    yield from _dimensions("policy/log_std", log_std)


def _dimensions(tag: str, values: NDArray[Any]) -> Iterator[Values]:
    if values.shape[1] > MAX_DIMENSIONS:
        yield f"{tag}/all", values
        return
    for i, column in enumerate(values.T):
        yield f"{tag}/{i}", column


def _layers(agent: "SACAgent") -> Iterator[tuple[str, Any]]:
    nets = {"policy": agent.policy_net}
    nets |= {f"q{i}": net for i, net in enumerate(agent.soft_q_nets, start=1)}
    for name, net in nets.items():
        for i, layer in enumerate(net.net.layers, start=1):
            yield f"{name}_layer_{i}", layer


def _joined(tensors: list[Any]) -> NDArray[Any]:
    return np.concatenate([_array(tensor).ravel() for tensor in tensors])


def _array(value: Any) -> NDArray[Any]:
    return value.numpy(force=True) if isinstance(value, torch.Tensor) else np.asarray(value)


def histogram_value(tag: str, values: NDArray[Any]) -> Any:
    """Return a Summary.Value with the histogram of what is finite of `values`."""
    from tensorboard.compat.proto import summary_pb2
    from tensorboard.plugins.histogram import metadata
    from tensorboard.util import tensor_util

    return summary_pb2.Summary.Value(
        tag=tag,
        metadata=metadata.create_summary_metadata(display_name=None, description=None),
        tensor=tensor_util.make_tensor_proto(_buckets(values), dtype=np.float64),
    )


def _buckets(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return rows of left edge, right edge, count.

    NumPy's histogram refuses numbers that hardly differ; here they fall into the last bucket.
    """
    finite = values[np.isfinite(values)].astype(np.float64)
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    edges = np.linspace(low, high, BUCKETS + 1)
    width = (high - low) / BUCKETS
    if low + width > low and high - width < high:
        places = np.minimum(((finite - low) / width).astype(np.int64), BUCKETS - 1)
    else:
        places = np.full(finite.size, BUCKETS - 1)
    counts = np.bincount(places, minlength=BUCKETS)
    return np.stack([edges[:-1], edges[1:], counts], axis=1)
