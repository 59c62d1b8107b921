#!/usr/bin/env bash
# In Gymnasium 1.3.0 a vector environment names the autoreset mode of another one as its own.
#
# SyncVectorEnv takes its first environment's metadata, mostly the dictionary of the class, and writes
# its mode there: whoever reads metadata["autoreset_mode"], as wrappers and libraries are to do, gets
# the mode of the newest vector environment of that class. Gymnasium 1.4 copies the dictionary.
# Seen with gymnasium 1.3.0, numpy 2.0.0 on CPython 3.11.7:
#   first: runs NextStep, says Disabled
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet gymnasium==1.3.0 numpy==2.0.0

said=$("$python" - << 'PYTHON'
import gymnasium
from gymnasium.vector import AutoresetMode

first = gymnasium.make_vec("MountainCar-v0", 2, "sync")  # the default: NEXT_STEP
gymnasium.make_vec(
    "MountainCar-v0", 2, "sync", vector_kwargs={"autoreset_mode": AutoresetMode.DISABLED}
)
print(f"first: runs {first.autoreset_mode.value}, says {first.metadata['autoreset_mode'].value}")
PYTHON
)
echo "$said"
[ "$said" = "first: runs NextStep, says Disabled" ]
