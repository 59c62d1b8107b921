import csv
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from sac.agent.variants import metric_names
from sac.config import AgentConfig, Config
from sac.errors import SACError
from sac.metrics.logger import Logger, metric_tags

ROOT = Path(__file__).parents[3]
TAGS = ["train/alpha", "eval/mean_return"]


def rows(run: Path) -> list[dict[str, str]]:
    with open(run / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def cells(run: Path) -> list[tuple[str, ...]]:
    return [tuple(row.values()) for row in rows(run)]


def shown(run: Path) -> EventAccumulator:
    """What TensorBoard's own reader makes of a run."""
    accumulator = EventAccumulator(str(run))
    accumulator.Reload()
    return accumulator


def points(run: Path, tag: str) -> list[tuple[int, float]]:
    return [(event.step, event.value) for event in shown(run).Scalars(tag)]


def test_both_files_hold_the_same_numbers(tmp_path: Path) -> None:
    with Logger(tmp_path, TAGS) as logger:
        logger.log(500, {"train/alpha": 0.25})
        logger.log(1000, {"train/alpha": 0.5, "eval/mean_return": -150.5})
        logger.log(1500, {"eval/mean_return": -3})
    assert [*rows(tmp_path)[0]] == ["step", *TAGS]
    assert cells(tmp_path) == [
        ("500", "0.25", ""),
        ("1000", "0.5", "-150.5"),
        ("1500", "", "-3.0"),
    ]
    assert points(tmp_path, "train/alpha") == [(500, 0.25), (1000, 0.5)]
    assert points(tmp_path, "eval/mean_return") == [(1000, -150.5), (1500, -3.0)]


def test_a_step_that_comes_in_parts_is_one_row(tmp_path: Path) -> None:
    with Logger(tmp_path, TAGS) as logger:
        logger.log(1, {"train/alpha": 1.0})
        logger.log(2, {"train/alpha": 2.0})
        logger.flush()
        logger.log(2, {"eval/mean_return": 5.0})
        logger.log(2, {})
        logger.log(3, {"train/alpha": 3.0})
    assert cells(tmp_path) == [("1", "1.0", ""), ("2", "2.0", "5.0"), ("3", "3.0", "")]
    assert points(tmp_path, "train/alpha") == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_rows_can_be_read_while_the_run_goes_on(tmp_path: Path) -> None:
    with Logger(tmp_path, TAGS) as logger:
        logger.log(1, {"train/alpha": 1.0})
        assert cells(tmp_path) == [("1", "1.0", "")]
        logger.flush()
        assert points(tmp_path, "train/alpha") == [(1, 1.0)]


@pytest.mark.parametrize(
    "value", [0.1, 1 / 3, 1e-300, -0.0, np.float32(0.1), np.array(0.1, np.float32), np.int64(3), 7]
)
def test_numbers_are_kept_to_the_last_bit(tmp_path: Path, value: float) -> None:
    with Logger(tmp_path, TAGS) as logger:
        logger.log(0, {"train/alpha": value})
    assert float(rows(tmp_path)[0]["train/alpha"]).hex() == float(value).hex()


def test_not_a_number_is_logged_as_such(tmp_path: Path) -> None:
    with Logger(tmp_path, TAGS) as logger:
        logger.log(0, {"train/alpha": float("nan"), "eval/mean_return": float("-inf")})
    assert cells(tmp_path) == [("0", "nan", "-inf")]


def test_text_is_shown_as_it_stands(tmp_path: Path) -> None:
    with Logger(tmp_path, TAGS) as logger:
        logger.text("config", "env:\n  id: Pendulum-v1\n")
    accumulator = shown(tmp_path)
    (event,) = accumulator.Tensors("config")
    assert event.tensor_proto.string_val[0].decode() == "    env:\n      id: Pendulum-v1"


# A resume drops what came after the checkpoint, and doubles nothing.


def first_session(run: Path) -> None:
    with Logger(run, TAGS) as logger:
        logger.text("config", "seed: 0")
        for step in (1, 2, 3, 4):
            logger.log(step, {"train/alpha": float(step)})
    (events,) = run.glob("events*")
    events.rename(run / "events.out.tfevents.0000000001.host.1.0")  # of long ago


def test_resume(tmp_path: Path) -> None:
    first_session(tmp_path)
    with Logger(tmp_path, TAGS, resume_step=2) as logger:
        logger.text("config", "seed: 0")
        logger.log(3, {"train/alpha": 30.0})
    expected = [(1, 1.0), (2, 2.0), (3, 30.0)]
    assert cells(tmp_path) == [("1", "1.0", ""), ("2", "2.0", ""), ("3", "30.0", "")]
    assert points(tmp_path, "train/alpha") == expected
    with Logger(tmp_path, TAGS, resume_step=3) as logger:
        logger.log(4, {"train/alpha": 40.0})
    assert cells(tmp_path)[-1] == ("4", "40.0", "")
    assert points(tmp_path, "train/alpha") == [*expected, (4, 40.0)]


def test_a_server_that_has_read_the_dropped_points_forgets_them(tmp_path: Path) -> None:
    first_session(tmp_path)
    server = shown(tmp_path)
    assert [event.step for event in server.Scalars("train/alpha")] == [1, 2, 3, 4]
    with Logger(tmp_path, TAGS, resume_step=2) as logger:
        logger.log(3, {"train/alpha": 30.0})
    server.Reload()
    assert [event.value for event in server.Scalars("train/alpha")] == [1.0, 2.0, 30.0]


def test_what_a_resumed_run_logs_at_its_first_step_is_still_there_after_another_resume(
    tmp_path: Path,
) -> None:
    first_session(tmp_path)
    with Logger(tmp_path, TAGS, resume_step=2) as logger:
        logger.log(2, {"eval/mean_return": 9.0})  # an evaluation that was left before its end
        logger.log(3, {"eval/mean_return": 7.0})
    with Logger(tmp_path, TAGS, resume_step=2):
        pass
    assert points(tmp_path, "eval/mean_return")[-1] == (2, 9.0)


def test_dropped_points_are_gone_from_the_files(tmp_path: Path) -> None:
    first_session(tmp_path)
    with Logger(tmp_path, TAGS, resume_step=2) as logger:
        logger.log(3, {"train/alpha": 30.0})
    reader = EventAccumulator(str(tmp_path), purge_orphaned_data=False)
    reader.Reload()
    assert [event.value for event in reader.Scalars("train/alpha")] == [1.0, 2.0, 30.0]


@pytest.mark.parametrize("seconds", [0, 3, 10**6])  # that the clock is behind the first session's
def test_a_resume_is_read_after_the_first_session(tmp_path: Path, seconds: int) -> None:
    first_session(tmp_path)
    (events,) = tmp_path.glob("events*")
    events.rename(tmp_path / f"events.out.tfevents.{int(time.time()) + seconds}.zzz.1.0")
    with Logger(tmp_path, TAGS, resume_step=4) as logger:
        logger.log(5, {"train/alpha": 5.0})
    with Logger(tmp_path, TAGS, resume_step=5) as logger:
        logger.log(6, {"train/alpha": 6.0})
    assert [step for step, _ in points(tmp_path, "train/alpha")] == [1, 2, 3, 4, 5, 6]


def test_hparams_are_those_of_the_last_session(tmp_path: Path) -> None:
    for total_steps, resume_step in ((20_000, None), (40_000, 2)):
        config = Config.from_dict({"train": {"total_steps": total_steps}})
        with Logger(tmp_path, TAGS, resume_step=resume_step) as logger:
            logger.describe(config)
            logger.log(2, {"train/alpha": 2.0})
    (content,) = shown(tmp_path).PluginTagToContent("hparams").values()
    shown_values = HParamsPluginData.FromString(content).session_start_info.hparams
    assert shown_values["train.total_steps"].number_value == 40_000


def test_resume_before_the_first_row_and_after_the_last(tmp_path: Path) -> None:
    first_session(tmp_path)
    with Logger(tmp_path, TAGS, resume_step=9):
        pass
    assert [step for step, _ in points(tmp_path, "train/alpha")] == [1, 2, 3, 4]
    with Logger(tmp_path, TAGS, resume_step=0) as logger:
        logger.log(1, {"train/alpha": 10.0})
    assert cells(tmp_path) == [("1", "10.0", "")]
    assert points(tmp_path, "train/alpha") == [(1, 10.0)]


def test_resume_adds_to_the_row_of_its_step_and_repeats_nothing(tmp_path: Path) -> None:
    first_session(tmp_path)
    with Logger(tmp_path, TAGS, resume_step=4) as logger:
        logger.log(4, {"train/alpha": 4.0, "eval/mean_return": 8.0})
    assert cells(tmp_path)[2:] == [("3", "3.0", ""), ("4", "4.0", "8.0")]
    assert points(tmp_path, "train/alpha")[-2:] == [(3, 3.0), (4, 4.0)]
    assert points(tmp_path, "eval/mean_return") == [(4, 8.0)]


def test_resume_after_a_crash_in_the_middle_of_a_write(tmp_path: Path) -> None:
    first_session(tmp_path)
    with open(tmp_path / "metrics.csv", "a") as file:
        file.write("5,0.")
    (events,) = tmp_path.glob("events*")
    events.write_bytes(events.read_bytes()[:-3])
    with Logger(tmp_path, TAGS, resume_step=9) as logger:
        logger.log(10, {"train/alpha": 10.0})
    assert [row[0] for row in cells(tmp_path)] == ["1", "2", "3", "4", "10"]
    assert [step for step, _ in points(tmp_path, "train/alpha")] == [1, 2, 3, 10]


def test_resume_with_other_columns_keeps_the_old(tmp_path: Path) -> None:
    first_session(tmp_path)
    with Logger(tmp_path, ["new", "train/alpha"], resume_step=1) as logger:
        logger.log(2, {"new": 5.0})
    assert [*rows(tmp_path)[0]] == ["step", "new", *TAGS]
    assert cells(tmp_path) == [("1", "", "1.0", ""), ("2", "5.0", "", "")]


def test_resume_without_files_starts_them(tmp_path: Path) -> None:
    with Logger(tmp_path, TAGS, resume_step=5) as logger:
        logger.log(6, {"train/alpha": 1.0})
    assert cells(tmp_path) == [("6", "1.0", "")]


def test_a_foreign_metrics_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("name,age\nada,36\n")
    with pytest.raises(SACError, match="step"):
        Logger(tmp_path, TAGS, resume_step=5)
    assert (tmp_path / "metrics.csv").read_text() == "name,age\nada,36\n"


# Misuse.


def test_misuse_is_refused(tmp_path: Path) -> None:
    with Logger(tmp_path, TAGS) as logger:
        logger.log(5, {"train/alpha": 1.0})
        with pytest.raises(ValueError, match="twice"):
            logger.log(5, {"train/alpha": 2.0})
        with pytest.raises(ValueError, match="train/alhpa"):
            logger.log(6, {"train/alhpa": 2.0})
        with pytest.raises(ValueError, match="step 5"):
            logger.log(4, {"train/alpha": 2.0})
    logger.close()
    assert cells(tmp_path) == [("5", "1.0", "")]


def test_missing_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(SACError, match="No such file"):
        Logger(tmp_path / "missing", TAGS)


def tags_of(networks: int) -> list[str]:
    return metric_tags(metric_names(AgentConfig(num_soft_q_nets=networks)))


def test_tags_follow_the_number_of_soft_q_nets() -> None:
    assert "train/q3_loss" in tags_of(3) and "train/q3_mean" in tags_of(3)
    assert "train/q2_loss" not in tags_of(1)
    assert {"rollout/episode_return", "eval/mean_return", "train/target_entropy"} < {*tags_of(2)}
    assert len(tags_of(2)) == len({*tags_of(2)}) == 21


def test_tensorflow_is_not_imported_even_where_it_is_installed(tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise SystemExit('TensorFlow was imported')")
    code = f"""
import sys
import time
from pathlib import Path
sys.path.insert(0, {str(tmp_path)!r})
from sac.agent.variants import metric_names
from sac.config import AgentConfig, Config
from sac.metrics.logger import Logger
assert not any(name.startswith("tensorboard") for name in sys.modules), "imported before it is used"
logger = Logger(Path({str(tmp_path)!r}), ["a"])
logger.log(1, {{"a": 1.0}})
logger.text("config", "seed: 0")
logger.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
