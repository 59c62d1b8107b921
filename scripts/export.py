"""Write a trained policy as ONNX or safetensors; `python scripts/export.py --help` tells more."""

import sys

from sac.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("export", sys.argv[1:], prog="export.py"))
