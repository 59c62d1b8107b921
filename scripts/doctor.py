"""Look for what ails a run; `python scripts/doctor.py --help` tells more."""

import sys

from sac.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("doctor", sys.argv[1:], prog="doctor.py"))
