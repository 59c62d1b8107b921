"""Evaluate a trained agent; `python scripts/evaluate.py --help` tells more."""

import sys

from sac.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("evaluate", sys.argv[1:], prog="evaluate.py"))
