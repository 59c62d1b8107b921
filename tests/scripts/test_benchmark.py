"""The benchmark: turns, medians and JSON with made-up measurements, and one small real run."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as torch
from scripts.benchmarks import agent_suites, command, running_costs, training
from scripts.benchmarks.bench import Bench, Options
from scripts.benchmarks.harness import Row, Sample, alternate, calibrate, rows_against
from scripts.benchmarks.process import (
    BenchmarkError,
    Place,
    Worker,
    can_keep_to_processors,
    run_program,
)
from scripts.benchmarks.report import print_json
from scripts.benchmarks.workers.filling import filled_buffer
from scripts.benchmarks.workers.our_logging import Stopwatch
from scripts.benchmarks.workers.ours import update_products
from scripts.benchmarks.workers.products import recorded_products

ROOT = Path(__file__).parents[2]
FIELDS = {"work", "peer", "ours_ms", "peer_ms", "ratio_to_peer"}
FAKE_WORKER = """
import sys
from scripts.benchmarks.workers.serve import Work, serve

def noisy():
    print("a library says hello")
    return Work(lambda: print("and goes on"), examine=lambda: {"answer": 42})

def broken():
    raise ValueError("no such size")

serve({"noisy": noisy, "broken": broken}, ["numpy"])
"""


def place() -> Place:
    return Place(sys.executable, ROOT, threads=1, device="cpu")


# -- turns and medians --------------------------------------------------------------------------


def test_sides_take_turns_and_each_goes_first() -> None:
    order: list[str] = []

    def side(name: str, seconds: float) -> Any:
        def measure(calls: int) -> float:
            order.append(name)
            return seconds * calls

        return measure

    sides = {"ours": side("ours", 0.001), "sb3": side("sb3", 0.004), "sbx": side("sbx", 0.002)}
    calls = {"ours": 10, "sb3": 3, "sbx": 5}
    samples = alternate(sides, 3, calls, sleep=lambda seconds: None)
    assert order == ["ours", "sb3", "sbx", "sb3", "sbx", "ours", "sbx", "ours", "sb3"]
    assert samples["ours"].values == pytest.approx([1, 1, 1])  # milliseconds a call
    assert samples["sb3"].values == pytest.approx([4, 4, 4])


def test_calibration_fills_the_block_after_a_warm_up() -> None:
    calls_made = []

    def measure(calls: int) -> float:
        calls_made.append(calls)
        return calls * 0.001 + (1 if len(calls_made) == 1 else 0)  # the first compiles

    assert calibrate(measure, 0.2) == 200


def test_a_call_longer_than_the_block_is_made_once() -> None:
    assert calibrate(lambda calls: 3.0 * calls, 0.2) == 1


def test_median_and_quartiles_withstand_an_outlier() -> None:
    sample = Sample([1.0, 2.0, 3.0, 4.0, 1000.0])
    assert sample.median == 3
    assert sample.quartiles == (2, 4)
    assert Sample([7.0]).quartiles == (7, 7)


# -- rows ---------------------------------------------------------------------------------------


def test_rows_hold_one_ratio_a_peer() -> None:
    samples = {"ours": Sample([2.0]), "sb3": Sample([8.0]), "sbx": Sample([4.0])}
    rows = rows_against("work", samples)
    assert [(row.peer, row.ratio_to_peer) for row in rows] == [("sb3", 0.25), ("sbx", 0.5)]


def test_without_peers_a_row_is_of_ours_alone() -> None:
    (row,) = rows_against("work", {"ours": Sample([2.0])})
    document = row.to_json()
    assert document["ours_ms"] == 2
    assert document["peer"] is document["peer_ms"] is document["ratio_to_peer"] is None


def test_bytes_are_not_told_as_milliseconds() -> None:
    document = Row("size", "MB", Sample([100.0]), "sb3", Sample([400.0])).to_json()
    assert document["ours_ms"] is document["peer_ms"] is None
    assert document["ratio_to_peer"] == 0.25
    assert (document["unit"], document["ours"], document["peers"]) == ("MB", 100, 400)


# -- processes ----------------------------------------------------------------------------------


def test_worker_measures_whatever_its_libraries_print(tmp_path: Path) -> None:
    with Worker("fake", place(), ["-c", FAKE_WORKER], tmp_path) as worker:
        worker.prepare("key", "noisy", {})
        assert worker.measure("key", 3) > 0
        assert worker.examine("key") == {"answer": 42}
        assert worker.versions() == {"numpy": np.__version__}
        worker.forget("key")
        with pytest.raises(BenchmarkError, match="fake: KeyError"):
            worker.measure("key", 1)
        with pytest.raises(BenchmarkError, match="fake: ValueError: no such size"):
            worker.prepare("key", "broken", {})


def test_worker_that_cannot_start_is_explained(tmp_path: Path) -> None:
    with (
        pytest.raises(BenchmarkError, match="Is the library installed"),
        Worker("sb3", place(), ["-c", "raise SystemExit('no such library')"], tmp_path) as worker,
    ):
        worker.versions()


def test_python_that_is_none_is_explained(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="expected the path"):
        Worker("sb3", Place(str(tmp_path / "python"), ROOT, 1, "cpu"), [], tmp_path)


def test_program_is_timed_and_weighed(tmp_path: Path) -> None:
    small = run_program(place(), ["-c", "print('done')"], tmp_path)
    large = run_program(
        place(), ["-c", "import time; b'x' * 300_000_000; time.sleep(0.5)"], tmp_path
    )
    assert small.output == "done\n"
    assert large.seconds >= 0.5
    # Linux counts into a program's peak what the process that started it held, so here pytest.
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert 300_000_000 < large.peak_bytes < max(350_000_000, ours + 50_000_000)


def test_program_that_fails_tells_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(BenchmarkError, match="out of luck"):
        run_program(place(), ["-c", "raise SystemExit('out of luck')"], tmp_path)


def test_threads_reach_the_process(tmp_path: Path) -> None:
    program = ["-c", "import os; print(os.environ['OPENBLAS_NUM_THREADS'])"]
    one = Place(sys.executable, ROOT, threads=3, device="cpu")
    assert run_program(one, program, tmp_path).output == "3\n"


def test_ours_chooses_its_threads_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")
    program = ["-c", "import os; print(os.environ.get('OPENBLAS_NUM_THREADS'))"]
    options = Options(("sb3",), peer_python=sys.executable, threads=2)
    with Bench(options, lambda text: None) as bench:
        ours, peers = (
            run_program(bench.place(side), program, tmp_path).output for side in ("ours", "sb3")
        )
    assert ours == ("None\n" if can_keep_to_processors() else "2\n")
    assert peers == "2\n"


# -- our works ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("action_shape", "action_dtype"), [((2,), np.float32), ((), np.int64)])
def test_filled_buffer_is_full_and_chains_observations(
    action_shape: tuple[int, ...], action_dtype: Any
) -> None:
    replay_buffer = filled_buffer(2500, (3,), np.float32, action_shape, action_dtype)
    assert len(replay_buffer) == 2500
    batch = replay_buffer.sample(64)
    assert np.unique(batch.observation, axis=0).shape[0] > 32
    assert not (batch.observation == batch.next_observation).all(axis=1).any()
    assert np.unique(batch.action).size > 1
    _, aside = replay_buffer.rings.next_rows(replay_buffer.rings.used_rows())
    assert not len(aside)  # as in one long episode


def test_recorded_products_are_those_of_the_layers() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((4, 3)), rng.standard_normal((5, 3))
    from autograd.backend import NUMPY

    def run() -> None:
        NUMPY.matmul(a, b.T)
        NUMPY.matmul(a[:, :1], b[:1])  # an outer product
        NUMPY.matmul(np.ones(4), a)  # a sum

    ((left, right, out),) = recorded_products(run)
    assert (left.shape, right.shape, out.shape) == ((4, 3), (3, 5), (4, 5))
    assert right.strides == b.T.strides
    assert NUMPY.matmul is np.matmul


def test_a_product_of_stacks_counts_as_those_of_their_matrices() -> None:
    from autograd.backend import NUMPY

    products = recorded_products(lambda: NUMPY.matmul(np.ones((4, 3)), np.ones((2, 3, 5))))
    assert [(a.shape, b.shape, out.shape) for a, b, out in products] == [
        ((4, 3), (3, 5), (4, 5))
    ] * 2


def test_products_of_an_update_are_about_as_many_as_the_networks_need() -> None:
    """Sixteen square ones: seven or eight forwards, and the backwards of policy and critics."""
    shapes = update_products(17, 6, 32, [24, 24]).examine()["shapes"]
    square = [shape for shape in shapes if sorted(shape) == [24, 24, 32]]
    assert 12 <= len(square) <= 16


# -- the command --------------------------------------------------------------------------------


def test_json_is_one_line_of_the_promised_form(capsys: pytest.CaptureFixture[str]) -> None:
    options = Options()
    with Bench(options, lambda text: None) as bench:
        bench.report.rows.append(Row("work", "ms", Sample([1.0]), "sb3", Sample([4.0])))
        bench.report.gemm_multiple = 1.25
        bench.report.versions["sb3"] = {"torch": "2"}
        print_json(bench.report, {"threads": 1})
    (line,) = capsys.readouterr().out.splitlines()
    document = json.loads(line)
    assert document == {
        "rows": [
            {
                "work": "work",
                "peer": "sb3",
                "ours_ms": 1.0,
                "peer_ms": 4.0,
                "ratio_to_peer": 0.25,
            }
        ],
        "gemm_multiple": 1.25,
        "machine": {"threads": 1},
        "versions": {"sb3": {"torch": "2"}},
    }


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["act", "--peers", "sb3"], "--peer-python"),
        (["act", "--peers", "rllib", "--peer-python", "python"], "expected names of sb3, sbx"),
        (["train", "--peers", "rltools"], "--rltools-python"),
        (["act", "--peers", "rltools", "--rltools-python", "python"], "only train"),
        (["act", "--device", "tpu"], "device: expected auto, cpu, cuda or cuda:N, got 'tpu'"),
    ],
)
def test_refusals(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(argv) == 2
    assert words in capsys.readouterr().err


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_gpu_that_is_none_is_refused_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["update", "--device", "cuda"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: device: expected one that this machine has, got cuda")


def test_rltools_is_asked_for_the_task_and_compiled_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\necho "$MKL_NUM_THREADS $@" >> {log}\n')
    fake.chmod(0o755)
    task = training.Task("Pendulum-v1", 120, batch_size=8, hidden_sizes=(8, 8))
    monkeypatch.setattr(training, "TRAININGS", (task,))
    options = Options(("rltools",), rltools_python=str(fake), threads=2, repetitions=1)
    with Bench(options, lambda text: None) as bench:
        training.train(bench)
    assert [row.peer for row in bench.report.rows] == ["rltools", "rltools"]
    common = "1 -m workers.rltools_train --env Pendulum-v1 --total-steps 120 --steps"
    sizes = "--batch-size 8 --layers 2 --width 8"
    assert log.read_text().splitlines() == [f"{common} 0 {sizes}", f"{common} 120 {sizes}"]


def test_real_run_of_acting() -> None:
    done = subprocess.run(
        [sys.executable, "scripts/benchmark.py", "act", "--repetitions", "1", "--json"],
        cwd=ROOT,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (row,) = document["rows"]
    assert row.keys() == FIELDS
    assert row["ours_ms"] > 0
    assert row["peer"] is None
    assert document["gemm_multiple"] is None
    assert document["machine"]["threads"] >= 1
    # The spread, the machine and the versions stand in the table.
    assert "act on one observation" in done.stderr
    assert f"numpy {np.__version__}" in done.stderr
    assert "threads" in done.stderr


def test_train_measures_a_whole_process(monkeypatch: pytest.MonkeyPatch) -> None:
    task = training.Task("Pendulum-v1", 120, batch_size=8, hidden_sizes=(8,))
    monkeypatch.setattr(training, "TRAININGS", (task,))
    options = Options(repetitions=1)
    with Bench(options, lambda text: None) as bench:
        training.train(bench)
    time, memory = bench.report.rows
    assert time.work == "train Pendulum-v1, 120 steps, batch 8, 8"
    assert time.ours.median > 100  # milliseconds: no Python can do it sooner
    assert (memory.work, memory.unit) == (f"peak memory of {time.work}", "MB")
    assert memory.ours.median > 20


def test_vector_tells_the_rates_of_the_runs_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_suites, "VECTORS", (("1", 1, "sync", 1), ("2, sync", 2, "sync", 0.5)))
    monkeypatch.setattr(agent_suites, "VECTOR_UPDATES", 20)
    monkeypatch.setattr(agent_suites, "VECTOR_LEARNING_STARTS", 32)
    monkeypatch.setattr(agent_suites, "VECTOR_LOG_EVERY", 8)
    options = Options(repetitions=1)
    with Bench(options, lambda text: None) as bench:
        agent_suites.vector(bench)
    one, two = bench.report.rows
    assert (one.peer, two.peer) == (None, "ours, 1")
    assert two.theirs is one.ours
    assert {row.unit for row in bench.report.rows} == {"steps/s"}
    assert min(one.ours.median, two.ours.median) > 1


def test_checkpoints_are_seen_as_late_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_costs, "TRANSITIONS", 600)
    monkeypatch.setattr(running_costs, "CHECKPOINT_EVERY", 600)
    monkeypatch.setattr(running_costs, "TRAINING_STEPS", 230)
    with Bench(Options(repetitions=2), lambda text: None) as bench:
        running_costs.checkpoint(bench)
    pause, share, *_ = bench.report.rows
    assert (pause.unit, share.unit) == ("ms", "%")
    assert len(pause.ours.values) == 2
    # To hash the weights alone takes as long; another step takes a tenth of it.
    assert min(pause.ours.values) > 1
    assert 0 < min(share.ours.values) < max(share.ours.values) < 100


def test_functions_within_functions_are_timed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(10))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    stopwatch = Stopwatch()
    inner = stopwatch.timed(lambda: None)
    stopwatch.timed(inner)()
    assert stopwatch.seconds == 2  # from the first look at the clock to the third


def test_logging_takes_a_share_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_costs, "LOGGED_STEPS", 1100)
    with Bench(Options(repetitions=1), lambda text: None) as bench:
        running_costs.logging(bench)
    (row,) = bench.report.rows
    assert row.unit == "%"
    assert 0 < row.ours.median < 100
