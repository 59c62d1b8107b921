#!/usr/bin/env bash
# TensorBoard 2.20.0 asks for setuptools>=41, and does not start with the newest that this allows.
#
# It imports pkg_resources, which setuptools 82 took away. Python 3.12 and later put no setuptools
# into a virtual environment, so pip installs the newest one there. TensorBoard 2.21 does without.
# Seen with tensorboard 2.20.0, setuptools 84.2.1, numpy 2.0.0 on CPython 3.11.7:
#   ModuleNotFoundError: No module named 'pkg_resources'
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet tensorboard==2.20.0 setuptools==84.2.1 numpy==2.0.0

"$python" -m pip check  # the metadata of all of them agree
if said=$("$python" -m tensorboard.main --version 2>&1); then
  echo "changed: it starts: $said"
  exit 1
fi
tail -n 1 <<< "$said"
grep -q "No module named 'pkg_resources'" <<< "$said"
