"""Measure speed, memory and size, alone or against peers; `python scripts/benchmark.py --help`."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # This checkout is what is measured, whether it is installed or not.
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from scripts.benchmarks.command import main

    # As an exception, a signal ends the processes under measurement, too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    sys.exit(main(sys.argv[1:]))
