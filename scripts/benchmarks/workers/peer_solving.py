"""Train SB3 or SBX with SB3 Zoo's settings until an evaluation reaches a return; print the step."""

import json
from typing import Any

import gymnasium
from stable_baselines3.common.callbacks import EvalCallback, StopTrainingOnRewardThreshold
from stable_baselines3.common.monitor import Monitor

from .peer_models import sac_class
from .solving_options import solving_parser

# What RL Baselines3 Zoo's hyperparams/sac.yml says beside SB3's defaults.
ZOO: dict[str, dict[str, Any]] = {
    "pendulum": {"learning_rate": 1e-3},
    "lunar_lander_continuous": {
        "learning_rate": lambda remaining: 7.3e-4 * remaining,
        "tau": 0.01,
        "learning_starts": 10_000,
        "policy_kwargs": {"net_arch": [400, 300]},
    },
    "half_cheetah": {"learning_starts": 10_000},
}


def main() -> None:
    """Train as the arguments say; the end of this process is the moment that counts."""
    parser = solving_parser()
    parser.add_argument("peer", choices=("sb3", "sbx"))
    parser.add_argument("--config", choices=ZOO, required=True)
    arguments = parser.parse_args()
    model = sac_class(arguments.peer)(
        "MlpPolicy", arguments.env, device="cpu", seed=arguments.seed, **ZOO[arguments.config]
    )
    stop = StopTrainingOnRewardThreshold(arguments.target)
    evaluation = EvalCallback(
        Monitor(gymnasium.make(arguments.env)),
        callback_on_new_best=stop,
        eval_freq=arguments.every_steps,
        n_eval_episodes=arguments.episodes,
        verbose=0,
    )
    model.learn(arguments.steps, callback=evaluation)
    is_reached = evaluation.best_mean_reward >= arguments.target
    print(json.dumps({"step": model.num_timesteps if is_reached else None}))


if __name__ == "__main__":
    main()
