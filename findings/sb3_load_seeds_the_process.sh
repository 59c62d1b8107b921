#!/usr/bin/env bash
# Stable-Baselines3's load() of a model that was made with a seed seeds Python, NumPy and torch anew.
#
# A script that draws by these generators, such as one that compares noise, opponents or goals over
# several loaded models, draws the same numbers after each load, whatever its own seed was.
# Seen with stable-baselines3 2.9.2, gymnasium 1.4.0, torch 2.14.1 on CPython 3.11.7, with the seed 7:
#   NumPy's and Python's next numbers after one load: 0.0763 0.3238
#   after another load: 0.0763 0.3238
#   after np.random.seed(7) and random.seed(7): 0.0763 0.3238
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet stable-baselines3==2.9.2 gymnasium==1.4.0

said=$(cd "$folder" && "$python" - <<'END'
import random

import numpy as np
from stable_baselines3 import SAC


def drawn():
    return f"{np.random.rand():.4f} {random.random():.4f}"


SAC("MlpPolicy", "Pendulum-v1", seed=7).save("model")
np.random.seed(123)
random.seed(123)
SAC.load("model")
print("NumPy's and Python's next numbers after one load:", drawn())
SAC.load("model")
print("after another load:", drawn())
np.random.seed(7)
random.seed(7)
print("after np.random.seed(7) and random.seed(7):", drawn())
END
)
echo "$said"
[ "$(grep -c ": 0.0763 0.3238$" <<< "$said")" = 3 ]
