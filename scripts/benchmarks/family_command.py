"""`benchmark.py family`: trains what has no line yet, and shows what each variant has learned."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from sac.errors import SACError
from scripts.benchmarks.family import (
    LINES,
    NAMES,
    PEER_TASKS,
    TASKS,
    PeerLine,
    add_peer,
    known_peers,
    studies,
    study_config,
    variant_of,
)
from scripts.benchmarks.family_report import draw, print_text, table, to_json, to_markdown
from scripts.benchmarks.learning import Lines
from scripts.benchmarks.process import (
    ROOT,
    WORKERS,
    BenchmarkError,
    Place,
    processors,
    python_path,
    run_program,
)
from scripts.benchmarks.report import CONFIGS_PAGE, processor, today, write_section
from scripts.benchmarks.trainings import missing, train_missing

DESCRIPTION = """Train the default agent and the shipped presets on a few tasks, as far as
scripts/benchmarks/family.jsonl has no line of that yet, and write the table of variants. With
--peer-python also what Stable-Baselines3, sb3-contrib and SBX learn in Pendulum and HalfCheetah
by the variants that they have, with the same widths and steps. An interrupted command goes on
where it stopped when it is given again."""


def family(argv: Sequence[str]) -> int:
    """Do what `argv` says and return the exit status; BenchmarkError if it can't be done."""
    arguments = _parser().parse_args(argv)
    tasks = _chosen("--only", arguments.only, TASKS)
    variants = _chosen("--variants", arguments.variants, NAMES)
    lines = Lines(arguments.lines)
    status = 0
    if not arguments.no_train:
        wanted = [
            (study, study_config(study), range(TASKS[study.split("/")[0]].seeds))
            for study in studies(tasks, variants)
        ]
        todo = missing(wanted, arguments.seeds, lines)
        status = train_missing(todo, arguments.lines, arguments.runs, arguments.workers)
        for task in PEER_TASKS:
            if arguments.peer_python is not None and task in tasks and status == 0:
                _train_peers(task, variants, arguments.peer_python)
    found = table(lines)
    print_text(found, sys.stderr if arguments.json else sys.stdout)
    if arguments.json:
        print(to_json(found))
    if arguments.lines == LINES:
        write_section("family", to_markdown(found), CONFIGS_PAGE)
        try:
            draw(lines)
        except SACError as error:
            print(f"No figure: {error}", file=sys.stderr)
    return status


def _chosen(option: str, given: str | None, known: Iterable[str]) -> list[str]:
    names = list(known)
    wanted = names if given is None else given.split(",")
    if unknown := sorted(set(wanted) - set(names)):
        raise BenchmarkError(f"{option}: expected names of {', '.join(names)}; got {unknown[0]}")
    return wanted


def _train_peers(task_name: str, variants: Sequence[str], python: str) -> None:
    """Train every peer that has one of these variants, and add a line for each seed."""
    known = known_peers()
    task = TASKS[task_name]
    for name in (variant for variant in task.variants if variant in variants):
        config = study_config(f"{task_name}/{name}")
        for peer in variant_of(name).peers:
            for seed in range(task.seeds):
                if (task_name, name, peer, seed) in known:
                    continue
                print(f"{task_name}, {name} of {peer}, seed {seed}", file=sys.stderr)
                program = ["-m", "workers.peer_family", peer, name]
                program += ["--env", task.env_id, "--steps", str(task.steps), "--seed", str(seed)]
                program += ["--updates", str(int(config.train.updates_per_step))]
                with tempfile.TemporaryDirectory() as folder:
                    place = Place(python, WORKERS, threads=1, device="cpu")
                    finished = run_program(place, program, Path(folder))
                found = json.loads(finished.output.splitlines()[-1])
                seconds = round(finished.seconds, 1)
                add_peer(
                    PeerLine(
                        name, peer, task_name, seed, found["mean_return"], task.steps, seconds,
                        today(), processor(), found["versions"],
                    )
                )  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="benchmark.py family", description=DESCRIPTION, allow_abbrev=False
    )
    add = parser.add_argument
    add("--only", metavar="TASKS", help=f"Of {', '.join(TASKS)}.")
    add("--variants", metavar="NAMES", help=f"Of {', '.join(NAMES)}.")
    add("--seeds", type=_seeds, metavar="N,N,...", help="Seeds to train. (default: the table's)")
    add(
        "--workers",
        type=int,
        default=processors(),
        metavar="N",
        help="Trainings at a time. (default: all processors, here %(default)s)",
    )
    add("--no-train", action="store_true", help="Show what is known.")
    add(
        "--peer-python",
        type=python_path,
        metavar="PATH",
        help="Python with SB3, sb3-contrib and SBX.",
    )
    add(
        "--runs",
        type=Path,
        default=ROOT / "runs" / "family",
        metavar="FOLDER",
        help="Where run directories are made, and looked for to go on. (default: runs/family)",
    )
    add("--lines", type=Path, default=LINES, metavar="FILE", help="Another file of results.")
    add("--json", action="store_true", help="Print one JSON object on one line.")
    return parser


def _seeds(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]
