"""What it costs to have the library: the time to import it, the size of what it installs."""

import subprocess
import sys
from pathlib import Path

from scripts.benchmarks.bench import Bench
from scripts.benchmarks.harness import Sample, alternate, rows_against
from scripts.benchmarks.process import OURS, ROOT, WORKERS, BenchmarkError, Place, run_program

IMPORTS = {
    OURS: "import sac",
    "sb3": "import stable_baselines3",
    "sbx": "import sbx",
}
# `import sac` alone puts off most of its modules until they are used.
IN_USE = {
    OURS: "from sac import Config, SACAgent, evaluate, train",
    "sb3": "from stable_baselines3 import SAC",
    "sbx": "from sbx import SAC",
}
DISTRIBUTIONS = {OURS: "sac-autograd", "sb3": "stable-baselines3", "sbx": "sbx-rl"}
REPETITIONS = 7
MEGABYTE = 1e6


def imports(bench: Bench) -> None:
    """A fresh process that imports the library, and one that imports the agent and training."""
    folder = bench.folder()
    for name, statements in (("import", IMPORTS), ("import the agent and training", IN_USE)):
        bench.announce(name)

        def measure(side: str, calls: int, statements: dict[str, str] = statements) -> float:
            program = ["-c", statements[side]]
            return sum(
                run_program(bench.place(side), program, folder).seconds for _ in range(calls)
            )

        sides = {side: lambda calls, side=side: measure(side, calls) for side in bench.sides}
        for warm_up in sides.values():  # the first import reads from disk
            warm_up(1)
        calls = dict.fromkeys(sides, 1)
        samples = alternate(sides, bench.repetitions(REPETITIONS), calls)
        bench.report.rows += rows_against(name, samples)


def size(bench: Bench) -> None:
    """Bytes of the library and of all that it requires; ours is installed anew to weigh it."""
    name = "size of the library with its requirements"
    samples = {}
    for side in bench.sides:
        bench.announce(f"{name}: {side}")
        place = bench.place(side)
        if side == OURS:
            place = Place(_installed(bench.folder()), WORKERS, place.threads, place.device)
        program = ["-m", "workers.installed_size", DISTRIBUTIONS[side]]
        output = run_program(place, program, bench.folder()).output
        samples[side] = Sample([int(output) / MEGABYTE])
    bench.report.rows += rows_against(name, samples, unit="MB")


def _installed(folder: Path) -> str:
    """Install this checkout in a new environment and return its Python."""
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    for command in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", str(ROOT)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchmarkError(f"{' '.join(command)}: {done.stderr.strip()[-500:]}")
    return str(python)
