#!/usr/bin/env bash
# MuJoCo that pip upgrades from 3.x to 4.0 can't be imported, while `pip check` finds nothing broken.
#
# 3.x is one package; 4.0 is split into mujoco, mujoco-core and mujoco-studio, which hold files of the
# same paths. pip puts down those of mujoco-core and then takes away those of 3.x, which are the same.
# A fresh environment is well; for this one, the error names the command that mends it.
# Seen with mujoco 3.3.0 and 4.0.0 on CPython 3.11.7 (Linux, x86-64) with pip 23.2.1:
#   pip check: No broken requirements found.
#   import mujoco: ImportError
#   after pip install --force-reinstall --no-deps mujoco mujoco-core mujoco-studio: 4.0.0
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet mujoco==3.3.0
"$python" -m pip install --quiet --upgrade mujoco==4.0.0

imported() {
  "$python" -c '
try:
    import mujoco
    print(mujoco.__version__)
except ImportError as error:
    print(type(error).__name__)
'
}

checked=$("$python" -m pip check)
echo "pip check: $checked"
broken=$(imported)
echo "import mujoco: $broken"
"$python" -m pip install --quiet --force-reinstall --no-deps \
  mujoco==4.0.0 mujoco-core==4.0.0 mujoco-studio==4.0.0
mended=$(imported)
echo "after pip install --force-reinstall --no-deps mujoco mujoco-core mujoco-studio: $mended"
[ "$checked" = "No broken requirements found." ]
[ "$broken" = ImportError ]
[ "$mended" = 4.0.0 ]
