#!/usr/bin/env bash
# SBX's CrossQ takes a schedule as its learning rate and trains with the schedule's first value to the end.
#
# Its SAC and TQC follow the schedule. In CrossQ only the first value is asked for, when the optimizers
# are made; nothing is said, and a comparison of the two with rates that fall compares other things.
# Seen with sbx-rl 0.28.0, stable-baselines3 2.9.2, jax 0.10.2 on CPython 3.11.7, by a rate of 1e-3 that
# is 0 from the first step on; the largest change of a weight in 50 updates:
#   SAC: critics 0, policy 0
#   CrossQ: critics above 0.001, policy above 0.001
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet sbx-rl==0.28.0 stable-baselines3==2.9.2 gymnasium==1.4.0 jax==0.10.2

said=$(cd "$folder" && "$python" - <<'END'
import gymnasium
import jax
import numpy as np
from sbx import SAC, CrossQ


def weights(state):
    return [np.array(leaf) for leaf in jax.tree.leaves(state.params)]


def change(before, after):
    largest = max(float(abs(b - a).max()) for a, b in zip(before, after, strict=True))
    return "0" if largest == 0 else "above 0.001" if largest > 0.001 else f"{largest:.1g}"


for algorithm in (SAC, CrossQ):
    model = algorithm(
        "MlpPolicy",
        gymnasium.make("Pendulum-v1"),
        learning_rate=lambda left: 1e-3 if left == 1 else 0.0,
        learning_starts=10,
        batch_size=8,
        policy_kwargs={"net_arch": [8, 8]},
        seed=7,
    )
    critics, policy = weights(model.policy.qf_state), weights(model.policy.actor_state)
    model.learn(61)
    print(
        f"{algorithm.__name__}: critics {change(critics, weights(model.policy.qf_state))}, "
        f"policy {change(policy, weights(model.policy.actor_state))}"
    )
END
)
echo "$said"
grep -qx "SAC: critics 0, policy 0" <<< "$said"
grep -qx "CrossQ: critics above 0.001, policy above 0.001" <<< "$said"
