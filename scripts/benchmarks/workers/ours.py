"""Works of this library, each the counterpart of a peer's."""

from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
from gymnasium import spaces

import autograd
from sac.agent.agent import SACAgent
from sac.config import AgentConfig, Config
from sac.replay.buffer import ReplayBuffer
from scripts.benchmarks.family import PLAIN

from . import bare, no_grad_works, serve, tensors
from .filling import filled_buffer
from .products import recorded_products

DISTRIBUTIONS = ["numpy", "gymnasium"]


def make_agent(
    observation_size: int,
    action_space: spaces.Space,
    hidden_sizes: list[int],
    device: str,
    compile: str = "auto",
) -> SACAgent:
    """Return an agent for these actions."""
    return SACAgent(
        spaces.Box(-np.inf, np.inf, (observation_size,), np.float32),
        action_space,
        AgentConfig(hidden_sizes=hidden_sizes),
        device=device,
        compile=compile,
    )


def _box(action_size: int) -> spaces.Box:
    return spaces.Box(-1, 1, (action_size,), np.float32)


def _filled_buffer(agent: SACAgent, transitions: int) -> ReplayBuffer:
    encoder, codec = agent.observation_encoder, agent.action_codec
    return filled_buffer(transitions, encoder.shape, encoder.dtype, codec.shape, codec.dtype)


def _update_work(agent: SACAgent, batch_size: int, transitions: int) -> serve.Work:
    replay_buffer = _filled_buffer(agent, transitions)
    wait = autograd.cuda.synchronize if agent.device.type == "cuda" else serve.nothing
    return serve.Work(lambda: agent.update(replay_buffer.sample(batch_size)), finish=wait)


def update(
    observation_size: int,
    action_size: int,
    batch_size: int,
    hidden_sizes: list[int],
    transitions: int,
    device: str,
    compile: str = "auto",
) -> serve.Work:
    """One update of all networks with the sampling of its batch."""
    agent = make_agent(observation_size, _box(action_size), hidden_sizes, device, compile)
    return _update_work(agent, batch_size, transitions)


def image_update(
    observation_shape: list[int],
    action_size: int,
    batch_size: int,
    transitions: int,
    device: str,
) -> serve.Work:
    """One update of an agent that sees images."""
    image = spaces.Box(0, 255, tuple(observation_shape), np.uint8)
    return _update_work(SACAgent(image, _box(action_size), device=device), batch_size, transitions)


def variant_update(
    variant: str,
    observation_size: int,
    action_size: int,
    transitions: int,
    updates: int,
    device: str,
) -> serve.Work:
    """The updates of one environment step, with the sampling of their batches."""
    config = Config.from_dict({} if variant == PLAIN else {"preset": variant})
    agent = SACAgent(
        spaces.Box(-np.inf, np.inf, (observation_size,), np.float32),
        _box(action_size),
        config.agent,
        device=device,
    )
    replay_buffer = _filled_buffer(agent, transitions)
    wait = autograd.cuda.synchronize if agent.device.type == "cuda" else serve.nothing

    def step() -> None:
        for _ in range(updates):
            agent.update(replay_buffer.sample(config.train.batch_size))

    return serve.Work(step, finish=wait)


def discrete_update(
    observation_size: int,
    actions: int,
    batch_size: int,
    hidden_sizes: list[int],
    transitions: int,
    device: str,
    compile: str = "auto",
) -> serve.Work:
    """One update of the agent for discrete actions."""
    agent = make_agent(observation_size, spaces.Discrete(actions), hidden_sizes, device, compile)
    return _update_work(agent, batch_size, transitions)


def update_products(
    observation_size: int, action_size: int, batch_size: int, hidden_sizes: list[int]
) -> serve.Work:
    """The matrix products of one update and nothing else, as seen in a real one."""
    agent = make_agent(observation_size, _box(action_size), hidden_sizes, "cpu")
    replay_buffer = _filled_buffer(agent, batch_size)
    products = recorded_products(lambda: agent.update(replay_buffer.sample(batch_size)))
    return serve.Work(
        lambda: [np.matmul(a, b, out=out) for a, b, out in products],
        examine=lambda: {"shapes": [[*a.shape, b.shape[1]] for a, b, _ in products]},
    )


def act(
    observation_size: int, action_size: int, hidden_sizes: list[int], device: str
) -> serve.Work:
    """A random action of the policy for one observation."""
    agent = make_agent(observation_size, _box(action_size), hidden_sizes, device)
    observations = cycle(
        np.random.default_rng(0).standard_normal((256, observation_size), np.float32)
    )
    return serve.Work(lambda: agent.act(next(observations)))


WORKS: dict[str, Any] = {
    "update": update,
    "image_update": image_update,
    "variant_update": variant_update,
    "discrete_update": discrete_update,
    "update_products": update_products,
    "act": act,
    "small_op": partial(tensors.small_op, autograd),
    "mlp": partial(tensors.mlp, autograd),
    "bare_small_op": bare.small_op,
    "bare_mlp": bare.mlp,
    "no_grad_evaluation": no_grad_works.evaluation,
    "no_grad_target": no_grad_works.target,
    "no_grad_step": no_grad_works.step,
}

if __name__ == "__main__":
    serve.serve(WORKS, DISTRIBUTIONS)
