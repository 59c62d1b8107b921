#!/usr/bin/env bash
# BipedalWalker-v3 now and then plays another episode for the same seed and the same actions.
#
# Its reset takes the bodies out of the Box2D world and goes on with that world, so that something of
# the episodes before stays. LunarLander-v3, from the same package, makes a new world at each reset,
# and repeats itself to the last bit. Who compares two runs by their seeds, or plays an episode again
# to restore one, must make a new environment for each.
# Seen with gymnasium 1.4.0 and box2d 2.3.10 on CPython 3.11.7:
#   LunarLander-v3: 0 of 72 episodes differ from the first of their seed
#   BipedalWalker-v3: 3 of 72 episodes differ from the first of their seed
#   BipedalWalker-v3, each time a new environment: 0 of 72 episodes differ from the first of their seed
# Exits with 0 where that is so still, whatever the 3 is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet "gymnasium[box2d]==1.4.0" box2d==2.3.10

said=$("$python" - <<'END'
import gymnasium
import numpy as np


def episode(environment, seed):
    environment.reset(seed=seed)
    environment.action_space.seed(seed)
    seen = []
    while True:
        observation, reward, terminated, truncated, _ = environment.step(environment.action_space.sample())
        seen.append(np.append(observation, reward))
        if terminated or truncated:
            return np.array(seen).tobytes()


for name, is_new in (("LunarLander-v3", False), ("BipedalWalker-v3", False), ("BipedalWalker-v3", True)):
    environment = gymnasium.make(name)
    different = 0
    for seed in range(6):
        first = episode(gymnasium.make(name) if is_new else environment, seed)
        for _ in range(12):
            played = episode(gymnasium.make(name) if is_new else environment, seed)
            different += played != first
    how = ", each time a new environment" if is_new else ""
    print(f"{name}{how}: {different} of 72 episodes differ from the first of their seed")
END
)
echo "$said"
grep -q "^LunarLander-v3: 0 of 72" <<< "$said"
grep -q "^BipedalWalker-v3: [1-9][0-9]* of 72" <<< "$said"
grep -q "^BipedalWalker-v3, each time a new environment: 0 of 72" <<< "$said"
