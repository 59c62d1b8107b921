#!/usr/bin/env bash
# Gymnasium 1.4.0's NormalizeReward carries the discounted return of a truncated episode into the next.
#
# The return by whose variance rewards are divided is forgotten where an episode terminates, and not
# where it is truncated, nor at reset(): in an environment that only truncates, such as Pendulum-v1,
# one return runs through the whole training. Its wrapper of vector environments does the same, while
# Stable-Baselines3's VecNormalize begins at 0 after either.
# Seen with gymnasium 1.4.0 and stable-baselines3 2.9.2 on CPython 3.11.7, discount 0.5, the same
# episode of 3 steps twice:
#   gymnasium: [-0.762, -1.132, -1.422], then [-1.473, -1.487, -1.6]
#   stable-baselines3, at the end of an episode: 0.0
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet gymnasium==1.4.0 stable-baselines3==2.9.2

said=$("$python" - <<'END'
import gymnasium
import numpy as np
from gymnasium.wrappers import NormalizeReward
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

NO_TORQUE = np.zeros(1, np.float32)


def pendulum():
    return gymnasium.make("Pendulum-v1", max_episode_steps=3)


environment, episodes = NormalizeReward(pendulum(), gamma=0.5), []
for _ in range(2):
    environment.reset(seed=0)
    episodes.append([])
    for _ in range(3):
        environment.step(NO_TORQUE)
        episodes[-1].append(round(float(environment.discounted_reward.item()), 3))
print(f"gymnasium: {episodes[0]}, then {episodes[1]}")

several = VecNormalize(DummyVecEnv([pendulum]), gamma=0.5)
several.reset()
for _ in range(3):
    several.step(NO_TORQUE[None])
print(f"stable-baselines3, at the end of an episode: {several.returns[0]}")
END
)
echo "$said"
grep -qF "gymnasium: [-0.762, -1.132, -1.422], then [-1.473, -1.487, -1.6]" <<< "$said"
grep -q "stable-baselines3, at the end of an episode: 0.0" <<< "$said"
