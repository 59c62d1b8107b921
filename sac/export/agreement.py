"""Whether an exported policy does what the agent does."""

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
    """Return how far `run` is from the agent's deterministic actions on random observations.

    Continuous actions are compared as numbers, in units of the largest bound where that is above 1;
    discrete ones by how much lower the logit of the chosen action is than the best. SACError where
    the largest difference of all is above 1e-5.
    """
    observations = random_observations(agent, policy, np.random.default_rng(0))
    actions = run(observations)
    expected = _agent_actions(agent, observations)
    if actions.shape != expected.shape or actions.dtype != expected.dtype:
        raise SACError(
            f"the exported policy gives {actions.dtype} {actions.shape}, and the agent "
            f"{expected.dtype} {expected.shape}: nothing was written"
        )
    differences = _shortfall(agent, observations, actions)
    largest = float(np.max(differences))
    if not largest <= TOLERANCE:  # so that NaN fails, too
        raise SACError(
            f"the exported policy differs from the agent by {largest:.2g} on random observations, "
            f"expected at most {TOLERANCE:g}: nothing was written"
        )
    return largest


def random_observations(agent: SACAgent, policy: Policy, rng: np.random.Generator) -> NDArray[Any]:
    """Return a batch as the exported policy takes it, of numbers that the agent may well meet."""
    encoder = agent.observation_encoder
    space: Any = encoder.space
    if policy.is_encoded:
        space.seed(int(rng.integers(2**31)))
        samples = [encoder.encode(space.sample()) for _ in range(OBSERVATIONS)]
        return np.clip(np.stack(samples), -EXTENT, EXTENT)  # a Box in it may be of any width
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


def _agent_actions(agent: SACAgent, observations: NDArray[Any]) -> NDArray[Any]:
    encoded = observations.astype(agent.observation_encoder.dtype)
    return agent.action_codec.to_environment(agent.greedy(encoded))


def _shortfall(
    agent: SACAgent, observations: NDArray[Any], actions: NDArray[Any]
) -> NDArray[np.float32]:
    """By how much the actions are not the policy's; infinite for actions that there are not."""
    codec = agent.action_codec
    if not codec.contains(actions):
        return np.array([np.inf], np.float32)
    encoded = observations.astype(agent.observation_encoder.dtype)
    with no_grad():
        inputs = agent.observation_input(encoded)
        return agent.policy_net.shortfall(inputs, actions, codec)
