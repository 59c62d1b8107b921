"""Benchmarks of updates and of the loop around them: small runs, and no process left."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scripts.benchmarks import agent_suites, busy, running_costs
from scripts.benchmarks.bench import Bench, Options
from scripts.benchmarks.harness import Sample
from scripts.benchmarks.process import can_keep_to_processors
from scripts.benchmarks.workers import our_loop
from scripts.benchmarks.workers.serve import Work

ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds until something counts as never


def quiet(options: Options) -> Bench:
    return Bench(options, lambda text: None)


# -- update -------------------------------------------------------------------------------------


def test_updates_are_compared_with_those_in_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_suites, "UPDATE_SIZES", ((3, 1, 8, 8),))
    monkeypatch.setattr(agent_suites, "DISCRETE_SIZES", ((4, 2, 8, 8),))
    monkeypatch.setattr(agent_suites, "TRANSITIONS", 100)
    monkeypatch.setattr(agent_suites, "BLOCK_SECONDS", 0.01)
    asked: dict[tuple[str, str], Any] = {}
    with quiet(Options(repetitions=1)) as bench:
        compare = bench.compare

        def note(works: Any, *rest: Any) -> Any:
            asked.update({(work, name): arguments for name, (_, work, arguments) in works.items()})
            return compare(works, *rest)

        monkeypatch.setattr(bench, "compare", note)
        agent_suites.update(bench)
    found = [(row.work, row.peer) for row in bench.report.rows]
    assert found == [
        ("update 3/1, batch 8, 8x8", "its products alone"),
        ("update 3/1, batch 8, 8x8", "ours in NumPy"),
        ("update 4/2 discrete, batch 8, 8x8", "ours in NumPy"),
    ]
    assert min(row.ours.median for row in bench.report.rows) > 0
    for work in ("update", "discrete_update"):
        plain = asked[work, "ours"]
        assert asked[work, "ours in NumPy"] == plain | {"compile": "never"}
        assert "compile" not in plain  # what a user gets


def test_workers_get_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    with quiet(Options(threads=3)) as bench:
        process = bench.worker("ours")._process
        environment = Path(f"/proc/{process.pid}/environ")
        if not environment.exists():
            pytest.skip("this system shows no environments of processes")
        assert b"OPENBLAS_NUM_THREADS=3\0" in environment.read_bytes()
        is_free = bench.place("ours").threads is None
    assert is_free == can_keep_to_processors()  # programs, as users start them


def test_each_call_is_told_by_itself() -> None:
    calls: list[int] = []
    seconds = Work(lambda: calls.append(1)).measure_each(3)
    assert len(seconds) == len(calls) == 3
    assert min(seconds) >= 0


# -- busy ---------------------------------------------------------------------------------------


def test_busy_rows_compare_threads_beside_the_same_processes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = busy.SIZES | {"hidden_sizes": [8], "batch_size": 4, "transitions": 100}
    monkeypatch.setattr(busy, "SIZES", small)
    monkeypatch.setattr(busy, "BUSY_PROCESSES", 1)
    monkeypatch.setattr(busy, "CALLS", 3)
    with quiet(Options(threads=2, repetitions=2)) as bench:
        busy.busy(bench)
    rows = bench.report.rows
    assert [(row.work.partition(", ours")[2] or row.work[-40:], row.peer) for row in rows[::2]] == [
        (", 2 threads", "ours, 1 thread"),
        (", its choice", "ours, 1 thread"),
        (rows[4].work[-40:], "in NumPy, 1 thread"),
    ]
    assert rows[4].work.endswith("in NumPy, 2 threads")
    assert {len(row.ours.values) for row in rows[::2]} == {6}
    assert all("95th percentile" in row.work for row in rows[1::2])


def test_the_95th_percentile_is_of_single_updates() -> None:
    samples = {"a": Sample([float(i) for i in range(1, 101)]), "b": Sample([10.0])}
    middle, slowest = busy._rows("work", "a", "b", samples)
    assert middle.ratio_to_peer == pytest.approx(5.05)
    assert slowest.ours.median == pytest.approx(95.05)
    assert slowest.peer == "b: median"


def test_no_busy_process_is_left_behind() -> None:
    with pytest.raises(KeyboardInterrupt), busy.busy_processes(2) as processes:
        assert [process.poll() for process in processes] == [None, None]
        raise KeyboardInterrupt
    assert all(process.poll() is not None for process in processes)


@pytest.mark.skipif(os.name == "nt", reason="a process has no new parent there")
def test_busy_processes_end_with_a_benchmark_that_is_killed() -> None:
    program = (
        "import sys\nfrom scripts.benchmarks.busy import busy_processes\n"
        "with busy_processes(1) as (process,):\n"
        "    print(process.pid, flush=True)\n    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as benchmark:
        assert benchmark.stdout is not None
        child = int(benchmark.stdout.readline())
        benchmark.kill()
    deadline = time.monotonic() + PATIENCE
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """Return whether a process still computes: nobody may have taken note of its end."""
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc/self").exists()


# -- loop ---------------------------------------------------------------------------------------


def test_loop_tells_each_part_of_a_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_costs, "LOOPS", (("Pendulum-v1", 8, 4),))
    monkeypatch.setattr(running_costs, "LOOP_STEPS", 30)
    with quiet(Options(repetitions=1)) as bench:
        running_costs.loop(bench)
    times = {row.work.partition(": ")[2]: row.ours.median for row in bench.report.rows}
    parts = [*our_loop.PARTS, our_loop.REST]
    glue = "all but update, environment and acting"
    assert [*times] == [*parts, glue]
    assert {row.unit for row in bench.report.rows} == {"ms"}
    assert min(times.values()) > 0
    others = sum(times[part] for part in parts if part not in running_costs.NO_GLUE)
    assert times[glue] == pytest.approx(others)


def test_a_part_is_timed_without_those_it_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0, 1, 1, 3, 3, 7, 7, 8, 8, 10, 10])
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    watches = our_loop.Stopwatches()  # at 0
    inner = watches.timed("inner", lambda: None)  # 3 to 7
    outer = watches.timed("outer", inner)  # 1 to 3, and 7 to 8
    outer()
    watches.stepping(lambda: None)()  # at 10
    (step,) = watches.steps
    assert step == {our_loop.REST: 1 + 2, "outer": 2 + 1, "inner": 4}
