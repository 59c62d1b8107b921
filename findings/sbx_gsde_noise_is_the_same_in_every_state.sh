#!/usr/bin/env bash
# SBX's SAC with use_sde=True explores with noise that does not depend on the state.
#
# gSDE (arXiv:2005.05719) draws a matrix and multiplies it with features of the state. SBX holds the key of
# its random numbers in place of that: until the next draw, the noise is the same number of standard
# deviations in every state, a constant push. Stable-Baselines3, whose interface SBX follows, has the
# matrix: there the same argument means noise that changes with the state.
# Seen with sbx-rl 0.28.0, jax 0.10.2, stable-baselines3 2.9.2, gymnasium 1.4.0 on CPython 3.11.7, seed 0:
#   SBX, standard deviations from the mean in three states: -0.09 -0.09 -0.09
#   SB3, standard deviations from the mean in three states: -0.66 -1.68 0.66
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet sbx-rl==0.28.0 jax==0.10.2 stable-baselines3==2.9.2 gymnasium==1.4.0

said=$(JAX_PLATFORMS=cpu "$python" - <<'END'
import numpy as np
import sbx
import stable_baselines3
import torch

STATES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 8]], np.float32)


def show(name, noises):
    print(f"{name}, standard deviations from the mean in three states:", *(f"{n:.2f}" for n in noises))
    print(f"{name}: {len({round(float(n), 3) for n in noises})} of 3 differ")


policy = sbx.SAC("MlpPolicy", "Pendulum-v1", use_sde=True, seed=0).policy
policy.reset_noise()
noises = []
for state in STATES:
    normal = policy.actor_state.apply_fn(policy.actor_state.params, state[None]).distribution
    before_tanh = np.arctanh(np.asarray(policy.forward(state[None]), np.float64))
    noises.append(((before_tanh - normal.mean()) / normal.stddev()).item())
show("SBX", noises)

actor = stable_baselines3.SAC("MlpPolicy", "Pendulum-v1", use_sde=True, seed=0, device="cpu").actor
actor.reset_noise()
noises = []
for state in torch.as_tensor(STATES):
    with torch.no_grad():
        before_tanh = torch.arctanh(actor(state[None]).double())
        normal = actor.action_dist.distribution
        noises.append(((before_tanh - normal.mean) / normal.stddev).item())
show("SB3", noises)
END
)
echo "$said"
grep -q "SBX: 1 of 3 differ" <<< "$said"
grep -q "SB3: 3 of 3 differ" <<< "$said"
