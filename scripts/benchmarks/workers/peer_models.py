"""The SAC models of Stable-Baselines3 and of SBX, which share the interface used here."""

import os
from itertools import cycle
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.logger import Logger

from .serve import Work


def sac_class(peer: str) -> Any:
    """Return the peer's class; torch then keeps to the threads that the environment names."""
    if peer == "sb3":
        import stable_baselines3
        import torch

        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        return stable_baselines3.SAC
    import sbx

    return sbx.SAC


class Spaces(gymnasium.Env[Any, Any]):
    """An environment that is asked for its spaces only."""

    def __init__(self, observation_space: spaces.Space[Any], action_size: int) -> None:
        self.observation_space = observation_space
        self.action_space = spaces.Box(-1, 1, (action_size,), np.float32)


def update(
    peer: str,
    observation_size: int,
    action_size: int,
    batch_size: int,
    hidden_sizes: list[int],
    transitions: int,
    device: str,
) -> Work:
    """One gradient step of all networks with the sampling of its batch."""
    model = _model(
        peer, observation_size, action_size, batch_size, hidden_sizes, transitions, device
    )
    return update_work(peer, model, 1, batch_size)


def image_update(
    peer: str,
    observation_shape: list[int],
    action_size: int,
    batch_size: int,
    transitions: int,
    device: str,
) -> Work:
    """The same of a model that sees images."""
    model = sac_class(peer)(
        "CnnPolicy",
        Spaces(spaces.Box(0, 255, tuple(observation_shape), np.uint8), action_size),
        batch_size=batch_size,
        buffer_size=transitions,
        device=device,
        seed=0,
    )
    return update_work(peer, model, 1, batch_size)


def update_work(peer: str, model: Any, updates: int, batch_size: int) -> Work:
    """A number of updates of a model, with the sampling of their batches."""
    model.set_logger(Logger(folder=None, output_formats=[]))
    fill(model.replay_buffer)
    finish = _wait_for_jax(model) if peer == "sbx" else lambda: None
    return Work(lambda: model.train(gradient_steps=updates, batch_size=batch_size), finish)


def _wait_for_jax(model: Any) -> Any:
    import jax

    names = [name for name in vars(model.policy) if name.endswith("_state")]
    return lambda: jax.block_until_ready(
        [model.ent_coef_state, *(getattr(model.policy, name) for name in names)]
    )


def act(
    peer: str, observation_size: int, action_size: int, hidden_sizes: list[int], device: str
) -> Work:
    """A random action of the policy for one observation."""
    model = _model(peer, observation_size, action_size, 256, hidden_sizes, 1000, device)
    observations = cycle(
        np.random.default_rng(0).standard_normal((256, observation_size), np.float32)
    )
    return Work(lambda: model.predict(next(observations), deterministic=False))


def _model(
    peer: str,
    observation_size: int,
    action_size: int,
    batch_size: int,
    hidden_sizes: list[int],
    buffer_size: int,
    device: str,
) -> Any:
    return sac_class(peer)(
        "MlpPolicy",
        Spaces(spaces.Box(-np.inf, np.inf, (observation_size,), np.float32), action_size),
        batch_size=batch_size,
        buffer_size=buffer_size,
        policy_kwargs={"net_arch": hidden_sizes},
        device=device,
        seed=0,
    )


def fill(replay_buffer: Any) -> None:
    """Fill the whole buffer with random transitions, a block of rows at a time."""
    rng = np.random.default_rng(0)
    rows = len(replay_buffer.rewards)
    for start in range(0, rows, 10_000):
        block = slice(start, min(start + 10_000, rows))
        for name in ("observations", "next_observations", "actions", "rewards"):
            array = getattr(replay_buffer, name)
            ends = (0, 256) if array.dtype == np.uint8 else (-1, 1)
            array[block] = rng.uniform(*ends, array[block].shape)
        for name in ("dones", "timeouts"):
            getattr(replay_buffer, name)[block] = 0
    replay_buffer.full = True
