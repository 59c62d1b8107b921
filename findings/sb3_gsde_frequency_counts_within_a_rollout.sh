#!/usr/bin/env bash
# Stable-Baselines3's SAC with gSDE draws its noise anew at every step, whatever sde_sample_freq says.
#
# The matrix of the noise is drawn at the beginning of each rollout, and then after every sde_sample_freq
# steps of that rollout. A rollout of SAC is one step long by default (train_freq=1), so that the
# frequency never counts to more than one, and the smooth exploration that gSDE is for is white noise.
# Nothing is said. It takes a train_freq of as many steps and more.
# Seen with stable-baselines3 2.9.2, gymnasium 1.4.0, torch 2.14.1 on CPython 3.11.7:
#   matrices in 32 steps, with a sde_sample_freq of 8: 32
#   with a train_freq of 32, too: 4
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet stable-baselines3==2.9.2 gymnasium==1.4.0

said=$("$python" - <<'END'
from stable_baselines3 import SAC
from stable_baselines3.common.callbacks import BaseCallback


class Matrices(BaseCallback):
    """Collects the matrices that actions were made with."""

    def _on_training_start(self):
        self.seen = set()

    def _on_step(self):
        matrix = self.model.actor.action_dist.exploration_mat
        self.seen.add(matrix.detach().numpy().tobytes())
        return True


def matrices(**settings):
    gsde = {"use_sde": True, "use_sde_at_warmup": True, "sde_sample_freq": 8}
    model = SAC("MlpPolicy", "Pendulum-v1", learning_starts=0, device="cpu", **gsde, **settings)
    callback = Matrices()
    model.learn(32, callback=callback)
    return len(callback.seen)


print("matrices in 32 steps, with a sde_sample_freq of 8:", matrices())
print("with a train_freq of 32, too:", matrices(train_freq=32))
END
)
echo "$said"
grep -q "a sde_sample_freq of 8: 32" <<< "$said"
grep -q "a train_freq of 32, too: 4" <<< "$said"
