"""Distributions behind a run's averages: actions, values, errors, weights and gradients.

A copy of the agent computes them, so that the training does not notice.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import autograd as torch
from autograd import no_grad
from sac.agent.agent import SACAgent
from sac.insight.recording import twin_of
from sac.networks.architecture import Stack
from sac.networks.encoders import Encoder
from sac.replay.batch import Batch
from sac.seeding import Streams

BUCKETS = 30  # as many as TensorBoard draws
MAX_DIMENSIONS = 8  # of actions with a histogram for each; more dimensions share one
Values = tuple[str, NDArray[Any]]  # tag and numbers of a histogram


def update_values(agent: SACAgent, batch: Batch, seed: int) -> Iterator[Values]:
    """Yield what an update of the agent would compute on this batch, with actions by `seed`.

    Gradients are those of the losses, before clipping. The agent stays as it is.
    """
    twin = twin_of(agent)
    twin.load_weights(agent.state_dict())
    twin.renew_noise(Streams.from_seed(seed), 0)
    yield from _policy(twin, batch, seed)
    losses, metrics = twin.losses(batch)
    for loss in losses.values():
        loss.backward()
    target = _array(metrics.pop("target_q_mean"))
    yield "q/target", target
    for name in [name for name in metrics if name.endswith("_mean")]:
        q_value = _array(metrics[name])
        yield f"q/{name.removesuffix('_mean')}", q_value
        yield f"q/{name.removesuffix('_mean')}_td_error", target - q_value
    yield from _encoder(twin.encoder)
    yield from _layers("policy", twin.policy_net.net)
    yield from _layers("q{}", twin.critic.soft_q_nets)


def _policy(agent: SACAgent, batch: Batch, seed: int) -> Iterator[Values]:
    actions = agent.sample(batch.observation, np.random.default_rng(seed))
    with no_grad():
        outputs = _array(agent.policy_net.net(agent.features(batch.observation)))
    for name, values in agent.policy_net.describe(actions, outputs):
        yield from _by_dimension(f"policy/{name}", values)


def _by_dimension(tag: str, values: NDArray[Any]) -> Iterator[Values]:
    if values.ndim == 1:
        yield tag, values
    elif values.shape[1] > MAX_DIMENSIONS:
        yield f"{tag}/all", values
    else:
        for i, column in enumerate(values.T):
            yield f"{tag}/{i}", column


def _layers(name: str, stack: Stack) -> Iterator[Values]:
    """Yield weights and gradients of each layer; `{}` in `name` is the network's number."""
    for what, array in (("weights", stack.flat), ("gradients", stack.flat.grad)):
        for number, network in enumerate(stack.layers(array), start=1):
            for i, layer in enumerate(network, start=1):
                numbers = np.concatenate([_array(tensor).ravel() for tensor in layer])
                yield f"{what}/{name.format(number)}_layer_{i}", numbers


def _encoder(encoder: Encoder) -> Iterator[Values]:
    """Yield weights and gradients of each layer: convolutions image by image, projection, norm."""
    layers = [list(module.parameters(recurse=False)) for module in encoder.modules()]
    for i, layer in enumerate(filter(None, layers), start=1):
        for what, tensors in (("weights", layer), ("gradients", [part.grad for part in layer])):
            numbers = np.concatenate([_array(tensor).ravel() for tensor in tensors])
            yield f"{what}/encoder_layer_{i}", numbers


def _array(value: Any) -> NDArray[Any]:
    return value.numpy(force=True) if isinstance(value, torch.Tensor) else np.asarray(value)


def histogram_value(tag: str, values: NDArray[Any]) -> Any:
    """Return a Summary.Value with the histogram of the finite `values`."""
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

    Numbers that hardly differ fall into the last bucket, where NumPy's histogram raises.
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
