"""Train RLtools' SAC as it is until an evaluation reaches a return; print the step as JSON."""

import json
from typing import Any

import gymnasium
import numpy as np
from gymnasium.wrappers import RescaleAction
from rltools import SAC

from .solving_options import solving_parser


def main() -> None:
    """Train as the arguments say; the end of this process is the moment that counts."""
    parser = solving_parser()
    parser.add_argument("--compile-only", action="store_true")
    arguments = parser.parse_args()

    def make() -> gymnasium.Env:
        return RescaleAction(gymnasium.make(arguments.env), np.float32(-1), np.float32(1))

    state = SAC(make, enable_evaluation=False, STEP_LIMIT=arguments.steps).State(arguments.seed)
    if arguments.compile_only:
        return
    env = make()
    env.reset(seed=arguments.seed)
    for step in range(1, arguments.steps + 1):
        state.step()
        if step % arguments.every_steps == 0:
            returns = [_play(env, state) for _ in range(arguments.episodes)]
            if np.mean(returns) >= arguments.target:
                print(json.dumps({"step": step}))
                return
    print(json.dumps({"step": None}))


def _play(env: gymnasium.Env, state: Any) -> float:
    """Return what an episode of the deterministic policy brings."""
    observation, _ = env.reset()
    total, is_over = 0.0, False
    while not is_over:
        observation, reward, terminated, truncated, _ = env.step(state.action(observation))
        total, is_over = total + float(reward), terminated or truncated
    return total


if __name__ == "__main__":
    main()
