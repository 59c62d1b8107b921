#!/usr/bin/env bash
# In Gymnasium 1.2.3 an environment that is still in use is closed when a vector environment of it
# goes out of scope, though nobody called close().
#
# VectorEnv.__del__ closes the vector environment and with it what its functions returned, even where
# somebody else holds that. Gymnasium 1.3 has no such __del__.
# Seen with gymnasium 1.2.3, numpy 2.0.0 on CPython 3.11.7:
#   closed: True
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet gymnasium==1.2.3 numpy==2.0.0

said=$("$python" - << 'PYTHON'
import gymnasium
from gymnasium.vector import SyncVectorEnv


class Env(gymnasium.Env):
    observation_space = action_space = gymnasium.spaces.Discrete(2)
    metadata = {}
    is_closed = False

    def close(self):
        self.is_closed = True


env = Env()
vector = SyncVectorEnv([lambda: env])
del vector
print(f"closed: {env.is_closed}")
PYTHON
)
echo "$said"
[ "$said" = "closed: True" ]
