"""Search for good settings by many trainings; `python scripts/sweep.py --help` tells more."""

import sys

from sac.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("sweep", sys.argv[1:], prog="sweep.py"))
