"""Train a peer's variant of SAC with our preset's widths, and print its return as JSON.

`-m workers.peer_family sb3|sbx VARIANT ...`, by the Python of the peers' environment.
"""

import argparse
import json
from importlib.metadata import version
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

from .peer_models import Spaces, sac_class, update_work
from .serve import Work

EPISODES, EVALUATION_SEED = 20, 1000


def main() -> None:
    """Train as the arguments say, and evaluate the deterministic policy."""
    parser = argparse.ArgumentParser()
    parser.add_argument("peer", choices=("sb3", "sbx"))
    parser.add_argument("variant")
    parser.add_argument("--env", required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--updates", type=int, required=True, help="for each step")
    arguments = parser.parse_args()
    model = variant_model(
        arguments.peer,
        arguments.variant,
        arguments.env,
        seed=arguments.seed,
        learning_starts=1000,
        gradient_steps=arguments.updates,
        device="cpu",
    )
    model.learn(arguments.steps)
    env = Monitor(gymnasium.make(arguments.env))
    env.reset(seed=EVALUATION_SEED)
    mean, _ = evaluate_policy(model, env, n_eval_episodes=EPISODES)
    names = {"sb3": ("stable-baselines3", "sb3-contrib", "torch"), "sbx": ("sbx-rl", "jax")}
    versions = {name: version(name) for name in names[arguments.peer]}
    print(json.dumps({"mean_return": round(float(mean), 2), "versions": versions}))


def variant_update(
    peer: str,
    variant: str,
    observation_size: int,
    action_size: int,
    transitions: int,
    updates: int,
    device: str,
) -> Work:
    """The updates of one environment step, with the sampling of their batches."""
    env = Spaces(spaces.Box(-np.inf, np.inf, (observation_size,), np.float32), action_size)
    settings = {"buffer_size": transitions, "device": device, "seed": 0}
    return update_work(peer, variant_model(peer, variant, env, **settings), updates, 256)


def variant_model(peer: str, variant: str, env: Any, **settings: Any) -> Any:
    """Return a peer's model with the widths and the settings of our preset of this name."""
    if variant == "sac":
        return sac_class(peer)("MlpPolicy", env, **settings)
    if variant == "tqc":
        policy = {"net_arch": {"pi": [256, 256], "qf": [256, 256, 256]}, "n_critics": 5}
        return _class(peer, "TQC")("MlpPolicy", env, policy_kwargs=policy, **settings)
    if variant == "crossq":
        policy = {"net_arch": {"pi": [256, 256], "qf": [256, 256]}}
        return _class(peer, "CrossQ")("MlpPolicy", env, policy_kwargs=policy, **settings)
    assert peer == "sbx", (peer, variant)
    if variant == "droq":
        policy = {"dropout_rate": 0.01, "layer_norm": True}
        return sac_class(peer)("MlpPolicy", env, policy_kwargs=policy, policy_delay=20, **settings)
    assert variant == "simba", variant
    import optax

    policy = {
        "net_arch": {"pi": [128], "qf": [128, 128]},
        "optimizer_class": optax.adamw,
        "optimizer_kwargs": {"weight_decay": 0.01},
    }
    return sac_class(peer)("SimbaPolicy", env, learning_rate=1e-4, policy_kwargs=policy, **settings)


def _class(peer: str, name: str) -> Any:
    if peer == "sbx":
        import sbx

        return getattr(sbx, name)
    sac_class(peer)  # torch keeps to the threads that the environment names
    import sb3_contrib

    return getattr(sb3_contrib, name)


if __name__ == "__main__":
    main()
