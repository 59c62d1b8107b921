"""Comparison of an exported policy with its agent."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autograd import no_grad
from sac.agent.agent import SACAgent
from sac.errors import SACError
from sac.export.layers import Policy
from sac.networks.observation_input import NormalizedObservationInput

OBSERVATIONS = 256
TOLERANCE = 1e-5
WHOLE_EXTENT = 255  # of random observations of whole numbers
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
        largest = encoder.largest()
        limit = EXTENT if largest is None else np.where(largest == 1, EXTENT, WHOLE_EXTENT)
        # A Box of floats in it may be of any width.
        return np.clip(samples, -limit, limit).astype(samples.dtype)
    low, high = (bound.astype(np.float64) for bound in (space.low, space.high))
    if policy.observation_dtype.kind in "iub":
        kept = np.clip([low, high], -WHOLE_EXTENT, WHOLE_EXTENT).astype(np.int64)
        whole = rng.integers(kept[0], kept[1], (OBSERVATIONS, *encoder.shape), endpoint=True)
        return whole.astype(policy.observation_dtype)
    statistics = agent.observation_input
    centre, spread = np.zeros(encoder.shape), np.full(encoder.shape, EXTENT)
    if isinstance(statistics, NormalizedObservationInput):
        centre = statistics.mean.reshape(encoder.shape)
        spread = EXTENT / statistics.factor.astype(np.float64).reshape(encoder.shape)
    centre = np.clip(centre, low, high)
    lowest, highest = np.maximum(low, centre - spread), np.minimum(high, centre + spread)
    observations = rng.uniform(lowest, highest, (OBSERVATIONS, *encoder.shape))
    return observations.astype(policy.observation_dtype)
