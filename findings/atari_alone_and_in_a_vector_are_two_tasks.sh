#!/usr/bin/env bash
# gymnasium.make_vec of an Atari id makes another task than gymnasium.make of the same id.
#
# make gives coloured frames of 210x160 and the game's scores. make_vec takes the vector environment
# that ale-py registers for the id: four stacked grey frames of 84x84, and rewards clipped to 1. An
# agent that was trained by one can't be evaluated by the other, and its returns are not comparable.
# vectorization_mode="sync" makes the task of make.
# Seen with ale-py 0.12.1, gymnasium 1.4.0 on CPython 3.11.7:
#   make: (210, 160, 3), rewards [0.0, 5.0, 10.0]
#   make_vec: (4, 84, 84), rewards [0.0, 1.0]
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet ale-py==0.12.1 gymnasium==1.4.0

said=$("$python" - 2>"$folder/errors" <<'END'
import ale_py
import gymnasium
import numpy as np

gymnasium.register_envs(ale_py)
NAME, STEPS = "ALE/SpaceInvaders-v5", 600
draws = np.random.default_rng(0)

one, rewards = gymnasium.make(NAME), set()
one.reset(seed=0)
for action in draws.integers(6, size=STEPS):
    _, reward, terminated, truncated, _ = one.step(int(action))
    rewards.add(float(reward))
    if terminated or truncated:
        one.reset()
print(f"make: {one.observation_space.shape}, rewards {sorted(r for r in rewards if r < 15)}")

many, rewards = gymnasium.make_vec(NAME, num_envs=2), set()
many.reset(seed=0)
for actions in draws.integers(6, size=(STEPS, 2)):
    rewards |= {float(reward) for reward in many.step(actions)[1]}
print(f"make_vec: {many.single_observation_space.shape}, rewards {sorted(rewards)}")
END
)
echo "$said"
grep -qF "make: (210, 160, 3), rewards [0.0, 5.0, 10.0]" <<< "$said"
grep -qF "make_vec: (4, 84, 84), rewards [0.0, 1.0]" <<< "$said"
