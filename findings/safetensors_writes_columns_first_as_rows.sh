#!/usr/bin/env bash
# safetensors' save() for NumPy writes an array that lies column by column as if it lay row by row.
#
# Such an array is contiguous, only in Fortran's order: what numpy.linalg and a transposition give. The
# shape is kept, the numbers change places, and nothing is said. For PyTorch the same library refuses
# such a tensor. A weight that was transposed before it was saved comes back scrambled.
# Seen with safetensors 0.8.0, numpy 2.4.6 on CPython 3.11.7:
#   saved [[0.0, 1.0], [2.0, 3.0]], loaded [[0.0, 2.0], [1.0, 3.0]]
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet safetensors==0.8.0 numpy==2.4.6

said=$("$python" - <<'END'
import numpy as np
from safetensors.numpy import load, save

weight = np.asfortranarray(np.arange(4, dtype=np.float32).reshape(2, 2))
assert weight.flags.f_contiguous
print(f"saved {weight.tolist()}, loaded {load(save({'weight': weight}))['weight'].tolist()}")
END
)
echo "$said"
grep -qF "saved [[0.0, 1.0], [2.0, 3.0]], loaded [[0.0, 2.0], [1.0, 3.0]]" <<< "$said"
