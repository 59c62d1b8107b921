"""Draw learning curves of runs; `python scripts/plot.py --help` tells more."""

import sys

from sac.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("plot", sys.argv[1:], prog="plot.py"))
