"""Small agents and batches for them."""

from typing import Any

import numpy as np
from gymnasium import spaces

import autograd as torch
from autograd import Tensor, nn
from sac.agent import SACAgent
from sac.config import AgentConfig
from sac.replay_buffer import Batch

OBSERVATIONS = spaces.Box(-1.0, 1.0, (3,), np.float32)
ACTION_SPACES: dict[str, spaces.Space] = {
    "continuous": spaces.Box(-2.0, 2.0, (2,), np.float32),
    "discrete": spaces.Discrete(4, start=1),
}


def make_agent(
    actions: str | spaces.Space = "continuous",
    observations: spaces.Space = OBSERVATIONS,
    seed: int = 3,
    device: str = "cpu",
    **keys: Any,
) -> SACAgent:
    """Build an agent with two small hidden layers; `keys` are those of AgentConfig."""
    space = ACTION_SPACES[actions] if isinstance(actions, str) else actions
    config = AgentConfig(**{"hidden_sizes": (8, 8), **keys})
    return SACAgent(observations, space, config, seed=seed, device=device)


def make_batch(agent: SACAgent, seed: int = 0, size: int = 8) -> Batch:
    """Draw transitions as the replay gives them; every third one terminated."""
    rng = np.random.default_rng(seed)
    codec, shape = agent.action_codec, (size, *agent.observation_encoder.shape)
    if codec.is_discrete:
        action = rng.integers(0, codec.n, (size, 1))
    else:
        action = rng.uniform(-1, 1, (size, *codec.shape)).astype(np.float32)
    return Batch(
        observation=rng.standard_normal(shape).astype(np.float32),
        action=action,
        reward=rng.standard_normal((size, 1)).astype(np.float32),
        terminated=(np.arange(size)[:, None] % 3 == 0).astype(np.float32),
        next_observation=rng.standard_normal(shape).astype(np.float32),
    )


def set_output(net: nn.Module, values: Any) -> None:
    """Make a network give `values` whatever comes in."""
    last = net.net.layers[-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor(values))


def gradient(parameter: Tensor) -> np.ndarray:
    """Return the gradient of a parameter, which must have one."""
    assert parameter.grad is not None
    return parameter.grad.cpu().numpy()


def assert_same_bits(actual: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """Compare two state dicts to the last bit."""
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert actual[name].dtype == array.dtype, name
        np.testing.assert_array_equal(actual[name], array, err_msg=name)
