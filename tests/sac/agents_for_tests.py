"""Small agents and batches for them."""

from typing import Any

import numpy as np
from gymnasium import spaces

import autograd as torch
from autograd import Tensor
from sac.agent.agent import SACAgent
from sac.config import AgentConfig
from sac.replay.batch import Batch

OBSERVATIONS = spaces.Box(-1.0, 1.0, (3,), np.float32)
ACTION_SPACES: dict[str, spaces.Space] = {
    "continuous": spaces.Box(-2.0, 2.0, (2,), np.float32),
    "discrete": spaces.Discrete(4, start=1),
    "whole": spaces.Box(-3, 4, (2,), np.int32),
    "choices": spaces.MultiDiscrete([3, 4], start=[1, -2]),
    "binary": spaces.MultiBinary(3),
    "many choices": spaces.MultiDiscrete([20, 3, 5]),
    "parts": spaces.Dict(
        {
            "arm": spaces.Box(-2.0, 3.0, (2,), np.float32),
            "deep": spaces.Tuple([spaces.MultiBinary(2), spaces.Box(0, 4, (1, 2), np.int64)]),
            "grip": spaces.Discrete(3, start=1),
        }
    ),
}


def make_agent(
    actions: str | spaces.Space = "continuous",
    observations: spaces.Space = OBSERVATIONS,
    seed: int = 3,
    device: str = "cpu",
    compile: str = "auto",
    **keys: Any,
) -> SACAgent:
    """Build an agent with two small hidden layers; `keys` are those of AgentConfig."""
    space = ACTION_SPACES[actions] if isinstance(actions, str) else actions
    config = AgentConfig(**{"hidden_sizes": (8, 8), **keys})
    return SACAgent(observations, space, config, seed=seed, device=device, compile=compile)


def make_batch(agent: SACAgent, seed: int = 0, size: int = 8) -> Batch:
    """Draw transitions as the replay gives them; every third one terminated."""
    rng = np.random.default_rng(seed)
    codec, encoder = agent.action_codec, agent.observation_encoder
    actions = codec.uniform(size, rng)

    def observed() -> np.ndarray:
        numbers = rng.standard_normal((size, *encoder.shape)).astype(np.float32)
        return (np.abs(numbers) * 60).astype(np.uint8) if encoder.dtype == np.uint8 else numbers

    return Batch(
        observation=observed(),
        action=actions if codec.shape else actions[:, None],
        reward=rng.standard_normal((size, 1)).astype(np.float32),
        discount=np.float32(agent.config.gamma) * (np.arange(size)[:, None] % 3 != 0),
        next_observation=observed(),
    )


def run_as_written(agent: SACAgent) -> None:
    """Let the agent never repeat a captured update."""
    agent._repeated = lambda: agent._learn  # type: ignore[method-assign]


def set_output(net: Any, values: Any, network: int = 0) -> None:
    """Make a network, of a policy or a stack, give `values` whatever comes in."""
    last = getattr(net, "net", net).layers()[network][-1]
    with torch.no_grad():
        last.weight.zero_()
        last.bias.copy_(torch.tensor(values))


def last_bias_gradient(net: Any) -> np.ndarray:
    """Return the gradient of the output layer's bias."""
    return net.net.layers(net.net.flat.grad)[0][-1].bias.numpy()


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
