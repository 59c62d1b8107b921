"""Saved agents to export, of every kind."""

from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from sac.agent.agent import SACAgent
from sac.run.checkpoint import save_checkpoint
from tests.sac.agents_for_tests import make_agent

IMAGES = spaces.Box(0, 255, (4, 5, 2), np.uint8)
CAMERA = spaces.Box(0, 255, (36, 36, 1), np.uint8)
UNEVEN = spaces.Box(np.array([[-2, 0, 5]]), np.array([[3, 1e3, 5]]), dtype=np.float64)
CASES: dict[str, dict[str, Any]] = {
    "continuous": {},
    "discrete": {"actions": "discrete"},
    "normalised": {"normalize_observations": True},
    "normalised images": {"observations": IMAGES, "normalize_observations": True},
    "discrete actions on images": {"observations": IMAGES, "actions": "discrete"},
    "uneven float64 bounds": {"actions": UNEVEN},
    "float64 observations": {"observations": spaces.Box(-np.inf, np.inf, (2, 3), np.float64)},
    "whole numbers": {"observations": spaces.Box(-5, 5, (3,), np.int32)},
    "small discrete dtype": {"actions": spaces.Discrete(3, start=-1, dtype=np.int32)},
    **{name: {"actions": name} for name in ("whole", "choices", "binary", "many choices", "parts")},
    "a part of one column": {"actions": spaces.Dict({"x": spaces.Box(-2.0, 3.0, (1,))})},
    "parts by tqc": {"actions": "parts", "critic": "tqc"},
    "discrete by tqc": {"actions": "discrete", "critic": "tqc"},
    "state-dependent noise": {"gsde_log_std": -1.0},
    "one-hot observations": {"observations": spaces.Discrete(5)},
    "encoded image": {"observations": CAMERA},
    "frames by drq": {
        "observations": spaces.Box(0, 255, (2, 3, 36, 38), np.uint8),
        "encoder": "drq",
    },
    "frames with channels last": {"observations": spaces.Box(0, 255, (2, 36, 38, 3), np.uint8)},
    "whole numbers far from 0": {"observations": spaces.Box(1000, 2000, (3,), np.int32)},
    "BatchNorm": {"critic": "crossq", "critic_norm": "batch", "policy_norm": "batch"},
    "one hidden layer": {"hidden_sizes": (4,)},
    **{
        name: {"activation": name} for name in ("tanh", "elu", "gelu", "silu", "leaky_relu", "relu")
    },
}


def saved(folder: Path, **keys: Any) -> SACAgent:
    """Save an agent, whose statistics have seen something, as a checkpoint; return it."""
    agent = make_agent(**keys)
    rng = np.random.default_rng(5)
    encoder = agent.observation_encoder
    if encoder.dtype == np.uint8:
        agent.observe(rng.integers(0, 200, (50, *encoder.shape), np.uint8))
    else:
        agent.observe(rng.normal(3, 20, (50, *encoder.shape)).astype(np.float32))
    tensors, documents = {"policy": agent.policy_state_dict()}, {"policy": agent.description()}
    save_checkpoint(folder, tensors, documents, step=5)
    return agent


def raw_observations(agent: SACAgent, n: int) -> np.ndarray:
    """Observations as the environment gives them, of other numbers than the export checks."""
    shape, rng = (n, *agent.observation_encoder.shape), np.random.default_rng(9)
    dtype = agent.observation_encoder.space.dtype
    return (rng.integers(0, 256, shape) if dtype == np.uint8 else rng.normal(2, 3, shape)).astype(
        dtype
    )
