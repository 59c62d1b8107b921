#!/usr/bin/env bash
# Stable-Baselines3's SAC that is loaded and goes on updates at once, from a replay buffer of one transition.
#
# save() leaves the replay buffer out, and learn(reset_num_timesteps=False) counts on from the saved
# step, which is past learning_starts. So the first batch of 256 is one transition 256 times, the next
# one is of two, and so on: what the networks know is spoilt by a few hundred such updates, and nothing
# is said. Without reset_num_timesteps=False the count begins anew, and so do the random actions.
# load_replay_buffer() after save_replay_buffer() is the way around both.
# Seen with stable-baselines3 2.9.2, gymnasium 1.4.0, torch 2.14.1 on CPython 3.11.7:
#   learning_starts 200; saved at step 300; step and transitions of the first updates after load():
#   go on: 301 1, 302 2, 303 3, 304 4
#   begin to count anew: 201 201, 202 202, 203 203, 204 204
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet stable-baselines3==2.9.2 gymnasium==1.4.0

said=$(cd "$folder" && "$python" - <<'END'
import gymnasium
from stable_baselines3 import SAC


def first_updates(steps, reset_num_timesteps):
    model = SAC.load("model", env=gymnasium.make("Pendulum-v1"))
    sample, seen = model.replay_buffer.sample, []

    def watched_sample(*arguments, **keywords):
        seen.append(f"{model.num_timesteps} {model.replay_buffer.size()}")
        return sample(*arguments, **keywords)

    model.replay_buffer.sample = watched_sample
    model.learn(steps, reset_num_timesteps=reset_num_timesteps)
    return ", ".join(seen[:4])


model = SAC("MlpPolicy", gymnasium.make("Pendulum-v1"), learning_starts=200, seed=7)
model.learn(300)
model.save("model")
print("learning_starts 200; saved at step 300; step and transitions of the first updates after load():")
print("go on:", first_updates(4, reset_num_timesteps=False))
print("begin to count anew:", first_updates(204, reset_num_timesteps=True))
END
)
echo "$said"
grep -qx "go on: 301 1, 302 2, 303 3, 304 4" <<< "$said"
grep -qx "begin to count anew: 201 201, 202 202, 203 203, 204 204" <<< "$said"
