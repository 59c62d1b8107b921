#!/usr/bin/env bash
# panda-gym's seed holds for one episode: after reset(seed=7), the next episodes have other goals each time.
#
# Its reset makes a new generator for the task each time, also where no seed is given, and that one
# draws from the operating system. Gymnasium's own environments go on with the generator of the last
# seed. Nothing is said: two evaluations of ten episodes that are seeded in their first reset share one
# goal. Whoever seeds each reset gets the same episodes.
# Seen with panda-gym 3.0.7, pybullet 3.2.7, gymnasium 1.4.0, numpy 2.4.6 on CPython 3.11.7:
#   Pendulum-v1, seeded in the first reset: ... [True, True, True]
#   PandaReach-v3, seeded in the first reset: ... [True, False, False]
#   PandaReach-v3, seeded in each reset: ... [True, True, True]
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet panda-gym==3.0.7 pybullet==3.2.7 gymnasium==1.4.0 numpy==2.4.6

said=$(cd "$folder" && "$python" -W ignore - 2> errors <<'END' | grep "^P"
import gymnasium
import panda_gym  # registers the environments


def starts(name, seeds):
    environment = gymnasium.make(name)
    seen = []
    for seed in seeds:
        observation, _ = environment.reset(seed=seed)
        shown = observation["desired_goal"] if isinstance(observation, dict) else observation
        seen.append(shown.tobytes())
    environment.close()
    return seen


for name in ("Pendulum-v1", "PandaReach-v3"):
    for what, seeds in (("the first reset", [7, None, None]), ("each reset", [7, 8, 9])):
        pairs = zip(starts(name, seeds), starts(name, seeds))
        same = [one == other for one, other in pairs]
        print(f"{name}, seeded in {what}: episodes that begin the same in two environments: {same}")
END
) || { cat "$folder/errors" >&2; exit 1; }
echo "$said"
grep -q "^Pendulum-v1, seeded in the first reset: .* \[True, True, True\]" <<< "$said"
grep -q "^PandaReach-v3, seeded in the first reset: .* \[True, False, False\]" <<< "$said"
grep -q "^PandaReach-v3, seeded in each reset: .* \[True, True, True\]" <<< "$said"
