"""What the user asked for, and the processes that it takes: the context of every suite."""

import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from scripts.benchmarks.harness import Row, Sample, compare
from scripts.benchmarks.process import OURS, ROOT, WORKERS, Place, Worker, can_keep_to_processors

Named = tuple[str, str, Mapping[str, Any]]  # a work: its side, its name there, its arguments
OUR_WORKER = ("-m", "scripts.benchmarks.workers.ours")


@dataclass(frozen=True)
class Options:
    """What the command line says."""

    peers: tuple[str, ...] = ()
    peer_python: str | None = None
    torch_python: str | None = None
    rltools_python: str | None = None
    python: str = sys.executable  # ours
    device: str = "cpu"
    threads: int = 1
    repetitions: int | None = None


@dataclass
class Report:
    """What was measured."""

    rows: list[Row] = field(default_factory=list)
    gemm_multiple: float | None = None
    versions: dict[str, dict[str, str]] = field(default_factory=dict)


class Bench:
    """Starts workers when they are first needed, and keeps them until the end."""

    def __init__(self, options: Options, announce: Callable[[str], None]) -> None:
        """`announce` hears of each work when its turn comes."""
        self.options = options
        self.announce = announce
        self.report = Report()
        self._workers: dict[str, Worker] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def sides(self) -> tuple[str, ...]:
        """Ours and the peers, but RLtools, of which only whole trainings can be measured."""
        return (OURS, *(peer for peer in self.options.peers if peer != "rltools"))

    def place(self, side: str) -> Place:
        """Return where a side runs a program; ours chooses its threads itself."""
        options = self.options
        pythons = {
            OURS: options.python,
            "torch": options.torch_python,
            "rltools": options.rltools_python,
        }
        python = pythons.get(side, options.peer_python)
        assert python is not None, f"{side} without a Python"
        path = ROOT if side == OURS else WORKERS
        variables = self._rltools_variables if side == "rltools" else {}
        # Ours looks at the sizes and at what else runs; a number from outside overrules it.
        is_free = side == OURS and can_keep_to_processors()
        threads = None if is_free else options.threads
        return Place(python, path, threads, options.device, variables)

    @cached_property
    def _rltools_variables(self) -> dict[str, str]:
        # Its compiled code lies in the temporary folder, and one thread is its own default.
        return {"TMPDIR": str(self.folder()), "MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

    def worker(self, side: str) -> Worker:
        """Return the running worker of a side."""
        if side not in self._workers:
            arguments = OUR_WORKER if side == OURS else ("-m", "workers.peer", side)
            place = replace(self.place(side), threads=self.options.threads)
            worker = Worker(side, place, arguments, self.folder())
            self._workers[side] = self._stack.enter_context(worker)
            self.report.versions[side] = worker.versions()
        return self._workers[side]

    def folder(self) -> Path:
        """Return a new folder that goes away at the end."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory()))

    def repetitions(self, default: int) -> int:
        """Return how often to repeat: what the user said, or else the default."""
        given = self.options.repetitions
        return default if given is None else given

    def compare(
        self,
        works: Mapping[str, Named],
        repetitions: int,
        block_seconds: float,
    ) -> dict[str, Sample]:
        """Measure works in turns; each has a name of its own besides."""
        with self.prepared(works):
            sides = {
                name: partial(self.worker(side).measure, name)
                for name, (side, _, _) in works.items()
            }
            return compare(sides, self.repetitions(repetitions), block_seconds)

    @contextmanager
    def prepared(self, works: Mapping[str, Named]) -> Iterator[None]:
        """Keep works, given as for `compare`, prepared in their workers."""
        for name, (side, work, arguments) in works.items():
            self.worker(side).prepare(name, work, arguments)
        yield
        for name, (side, _, _) in works.items():
            self.worker(side).forget(name)
