#!/usr/bin/env bash
# wandb 0.31.0, offline: `run.finish()` returns before the run's file holds what was logged.
#
# Its service writes the file on, so that a program that reads, copies or syncs the file next finds
# less in it, now and then none of it; `wandb.teardown()` waits for the rest.
# Seen with wandb 0.31.0 on CPython 3.11.7, for 15 of 40 runs of 100 numbers.
# Exits with 0 where that is so still.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/environment"
python="$folder/environment/bin/python"
"$python" -m pip install --quiet wandb==0.31.0

cd "$folder"
WANDB_MODE=offline WANDB_SILENT=true "$python" - << 'PYTHON'
from pathlib import Path

import wandb

early = {}
for number in range(40):
    run = wandb.init(project="p", settings=wandb.Settings(console="off"))
    for step in range(100):
        run.log({"x": step})
    file = next(Path(run.dir).parent.glob("*.wandb"))
    run.finish()
    early[file] = file.stat().st_size
wandb.teardown()
short = [file for file, size in early.items() if size < file.stat().st_size]
print(f"{len(short)} of {len(early)} files grew after finish() had returned")
raise SystemExit(not short)
PYTHON
