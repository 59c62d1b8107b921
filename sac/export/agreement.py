"""Comparison of an exported policy with its agent."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import no_grad
from sac.agent.agent import SACAgent
from sac.errors import SACError
from sac.export.layers import Policy

OBSERVATIONS = 256
TOLERANCE = 1e-5
WHOLE_EXTENT = 255  # of random observations of whole numbers, from 0 where the bounds allow it
EXTENT = 3.0  # of random observations, in standard deviations where the agent knows them


def check(run: Callable[[NDArray[Any]], NDArray[Any]], agent: SACAgent, policy: Policy) -> float:
    """Return the largest difference between `run` and the agent's deterministic actions.

    Both see random observations. A continuous action differs in units of the largest bound, if that
    is above 1; a discrete one by how much its logit is below the best; one of whole numbers or in
    several parts in policy units, from the nearest that mean the same. SACError for a difference
    above 1e-5.
    """
    observations = random_observations(agent, policy, np.random.default_rng(0))
    actions = run(observations)
    encoded = observations.astype(agent.observation_encoder.dtype)
    codec = agent.action_codec
    expected = codec.as_array(codec.to_environment(agent.greedy(encoded)))
    if actions.shape != expected.shape or actions.dtype != expected.dtype:
        raise SACError(
            f"the exported policy gives {actions.dtype} {actions.shape}, and the agent "
            f"{expected.dtype} {expected.shape}: nothing was written"
        )
    given = codec.of_array(actions)
    if not codec.contains(given):
        largest = np.inf
    else:
        with no_grad():
            inputs = agent.features(encoded)
            shortfall = agent.policy_net.shortfall(inputs, given, codec)
        largest = float(np.max(shortfall))
    if not largest <= TOLERANCE:  # NaN fails too
        raise SACError(
            f"the exported policy differs from the agent by {largest:.2g} on random observations, "
            f"expected at most {TOLERANCE:g}: nothing was written"
        )
    return largest


def random_observations(agent: SACAgent, policy: Policy, rng: np.random.Generator) -> NDArray[Any]:
    """Return a batch for the exported policy, of numbers that the agent may well meet."""
    encoder = agent.observation_encoder
    space: Any = encoder.space
    if policy.is_encoded:
        space.seed(int(rng.integers(2**31)))
        samples = np.stack([encoder.encode(space.sample()) for _ in range(OBSERVATIONS)])
        if samples.dtype == np.uint8:
            return samples
        # A Box of numbers in it may be of any width.
        is_number = encoder.numbers()
        low, high = np.where(is_number, -np.inf, samples), np.where(is_number, np.inf, samples)
        return _near_what_was_met(policy, rng, low, high).astype(samples.dtype)
    low, high = (bound.astype(np.float64) for bound in (space.low, space.high))
    if policy.observation_dtype.kind in "iub":
        lowest = np.clip(-WHOLE_EXTENT, low, np.maximum(low, high - 2 * WHOLE_EXTENT))
        highest = np.minimum(high, lowest + 2 * WHOLE_EXTENT).astype(np.int64)
        size = (OBSERVATIONS, *encoder.shape)
        whole = rng.integers(lowest.astype(np.int64), highest, size, endpoint=True)
        return whole.astype(policy.observation_dtype)
    size = (OBSERVATIONS, math.prod(encoder.shape))
    low, high = (np.broadcast_to(bound.reshape(-1), size) for bound in (low, high))
    observations = _near_what_was_met(policy, rng, low, high).reshape(-1, *encoder.shape)
    return observations.astype(policy.observation_dtype)


def _near_what_was_met(
    policy: Policy, rng: np.random.Generator, low: NDArray[Any], high: NDArray[Any]
) -> NDArray[Any]:
    """Return numbers within bounds, near those by which the policy standardises its inputs."""
    layers = [layer for layer in policy.layers if layer.kind != "scale"]
    centre, spread = np.zeros(low.shape[1]), np.full(low.shape[1], EXTENT)
    if layers[0].kind in ("standardise", "batch_norm"):
        mean, factor = (layers[0].arrays[name].reshape(-1) for name in ("mean", "factor"))
        centre, spread = mean.astype(np.float64), EXTENT / factor.astype(np.float64)
    middle = np.clip(centre, low, high)
    return rng.uniform(np.maximum(low, middle - spread), np.minimum(high, middle + spread))
