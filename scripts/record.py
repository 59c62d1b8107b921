"""Write a trained policy's episodes as a data set; `python scripts/record.py --help` tells more."""

import sys

from sac.cli import run_command

if __name__ == "__main__":
    sys.exit(run_command("record", sys.argv[1:], prog="record.py"))
