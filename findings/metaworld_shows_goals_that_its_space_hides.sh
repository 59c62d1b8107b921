#!/usr/bin/env bash
# In Meta-World no observation of MT1 lies in the observation space, and a reset's seed chooses no goal.
#
# `gymnasium.make("Meta-World/MT1", env_name=...)` gives the goal's three numbers the bounds 0 and 0,
# as where it is hidden, and each observation shows it: what checks, clips or scales observations by
# their space refuses or loses it. The goals are drawn as the environment is made, from the operating
# system where `seed` is not among make's arguments: two environments that are reset with the same
# seed play for different ones.
# Seen with metaworld 3.1.1, gymnasium 1.4.0, mujoco 3.3.0, numpy 2.4.6 on CPython 3.11.7:
#   two environments, the same seed in reset: the same goal: False
#   and the same seed in the constructor: the same goal: True
#   observations in the space: 0 of 4
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet metaworld==3.1.1 gymnasium==1.4.0 mujoco==3.3.0 numpy==2.4.6 packaging

said=$(cd "$folder" && "$python" -W ignore - 2> errors <<'END'
import gymnasium
import metaworld  # registers the environments

inside = []


def goal(**keywords):
    environment = gymnasium.make("Meta-World/MT1", env_name="reach-v3", **keywords)
    observation, _ = environment.reset(seed=7)
    space = environment.observation_space
    assert not space.low[-3:].any() and not space.high[-3:].any()
    inside.append(observation in space)
    return observation[-3:].tobytes()


print(f"two environments, the same seed in reset: the same goal: {goal() == goal()}")
same = goal(seed=1) == goal(seed=1)
print(f"and the same seed in the constructor: the same goal: {same}")
print(f"observations in the space: {sum(inside)} of {len(inside)}")
END
) || { cat "$folder/errors" >&2; exit 1; }
echo "$said"
grep -q "^two environments, .* False$" <<< "$said"
grep -q "^and the same seed in the constructor: .* True$" <<< "$said"
grep -q "^observations in the space: 0 of 4$" <<< "$said"
