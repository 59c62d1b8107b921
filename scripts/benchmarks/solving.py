"""`benchmark.py solve`: seconds from the start of the process until an evaluation shows success.

Ours trains with the shipped configuration, SB3 with the settings of its Zoo. Both evaluate as often
and as long as our configuration says, which counts, and end with the first evaluation that reaches
what the README's table asks of every seed. A side that does not get there within the
configuration's steps counts with its full time.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sac.config import Config
from scripts.benchmarks.learning import GOALS, load_config
from scripts.benchmarks.process import OURS, ROOT, WORKERS, BenchmarkError, Place, run_program
from scripts.benchmarks.report import PAGE, TEXT_WIDTH, markdown, processor, write_section

LINES = ROOT / "scripts" / "benchmarks" / "solving.jsonl"
SEEDS = (0, 1, 2)
SB3 = "sb3"
# Of which configuration, by which sides, and until which return, if not the table's.
TASKS = {
    "pendulum": (OURS, SB3),
    "cartpole": (OURS,),  # SB3's SAC knows no discrete actions
    "lunar_lander_continuous": (OURS, SB3),
    "half_cheetah": (OURS, SB3),
}
TARGETS = {goal.config: goal.aim.every for goal in GOALS if goal.aim is not None}
TARGETS["half_cheetah"] = 3000.0
HEADINGS = ("until an evaluation reaches", OURS, "SB3", "ours / SB3's")
DESCRIPTION = """Measure how long the shipped configurations take, from the start of the process,
until an evaluation reaches what the README's table asks of every seed; and SB3 with the settings of
its Zoo, where --peer-python is the Python of an environment with it. What
scripts/benchmarks/solving.jsonl holds is not measured again. The machine should do nothing else."""


@dataclass(frozen=True)
class Solved:
    """How long a side took with a seed."""

    config: str
    side: str
    seed: int
    target: float
    seconds: float
    step: int | None  # of the evaluation that reached the target; None: none did
    date: str
    machine: str

    @property
    def key(self) -> tuple[str, str, int, float]:
        """What was measured."""
        return self.config, self.side, self.seed, self.target


def solve(argv: Sequence[str]) -> int:
    """Measure what `argv` asks for and is not known yet, and print a table."""
    arguments = _parser().parse_args(argv)
    wanted = list(TASKS) if arguments.only is None else arguments.only.split(",")
    if unknown := sorted(set(wanted) - set(TASKS)):
        raise BenchmarkError(f"--only: expected names of {', '.join(TASKS)}; got {unknown[0]}")
    known = {solved.key for solved in read(arguments.lines)}
    for name in wanted:
        for seed in SEEDS:
            for side in TASKS[name]:
                is_here = side == OURS or arguments.peer_python is not None
                if is_here and (name, side, seed, TARGETS[name]) not in known:
                    print(f"{name}, seed {seed}: {side}", file=sys.stderr)
                    solved = _measure(name, side, seed, arguments.peer_python)
                    with open(arguments.lines, "a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(solved)) + "\n")
    table = medians(read(arguments.lines))
    shown = Table(*HEADINGS)
    for cells in table:
        shown.add_row(*cells)
    Console(width=None if sys.stdout.isatty() else TEXT_WIDTH).print(shown)
    if arguments.lines == LINES:
        write_section("solve", to_markdown(table), PAGE)
    return 0


def to_markdown(table: Sequence[Sequence[str]]) -> str:
    """Return the page's table."""
    return markdown(HEADINGS, table) if table else "Not measured yet.\n"


def read(path: Path = LINES) -> list[Solved]:
    """Return what was measured."""
    if not path.exists():
        return []
    return [Solved(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]


def _measure(name: str, side: str, seed: int, peer_python: str | None) -> Solved:
    config, target = load_config(name), TARGETS[name]
    python, path = (sys.executable, ROOT) if side == OURS else (str(peer_python), WORKERS)
    program = ["-m", "scripts.benchmarks.workers.our_solving"]
    if side != OURS:
        program = ["-m", "workers.peer_solving", *_peer_arguments(config)]
    program += ["--config", name, "--seed", str(seed), "--target", str(target)]
    with tempfile.TemporaryDirectory() as folder:
        place = Place(python, path, threads=1, device="cpu")
        finished = run_program(place, program, Path(folder))
    step = json.loads(finished.output.splitlines()[-1])["step"]
    today = datetime.now(UTC).date().isoformat()
    seconds = round(finished.seconds, 2)
    return Solved(name, side, seed, target, seconds, step, today, processor())


def _peer_arguments(config: Config) -> list[str]:
    return [
        "--env", config.env.id, "--steps", str(config.train.total_steps),
        "--every-steps", str(config.evaluation.every_steps),
        "--episodes", str(config.evaluation.episodes),
    ]  # fmt: skip


def medians(measured: Sequence[Solved]) -> list[list[str]]:
    """Return the table's cells: task, seconds and steps of each side, and the ratio."""
    table = []
    for name, sides in TASKS.items():
        known = [e for e in measured if (e.config, e.target) == (name, TARGETS[name])]
        own = {side: [each for each in known if each.side == side] for side in sides}
        if not own[OURS]:
            continue
        seconds = {
            side: statistics.median(each.seconds for each in found)
            for side, found in own.items()
            if found
        }
        ratio = f"{seconds[OURS] / seconds[SB3]:.2f}" if SB3 in seconds else ""
        title = f"{load_config(name).env.id} to {TARGETS[name]:,g}"
        table.append([title, *(_cell(own.get(side, [])) for side in (OURS, SB3)), ratio])
    return table


def _cell(found: Sequence[Solved]) -> str:
    """Return the median seconds, and the seeds that did not get there."""
    if not found:
        return ""
    text = f"{statistics.median(each.seconds for each in found):.1f} s"
    short = sum(each.step is None for each in found)
    return f"{text} ({short} of {len(found)} seeds never)" if short else text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmark.py solve", description=DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument("--only", metavar="NAMES", help=f"Of {', '.join(TASKS)}.")
    parser.add_argument("--peer-python", metavar="PATH", help="Python of SB3's environment.")
    parser.add_argument("--lines", type=Path, default=LINES, metavar="FILE", help="Of results.")
    return parser
