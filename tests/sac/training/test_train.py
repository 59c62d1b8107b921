"""`train`: reproducible, resumable, on environments in every form, clear about what it refuses."""

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

import autograd
from sac import Config, SACAgent, evaluate, train
from sac.agent.variants import metric_names
from sac.cli import main
from sac.config import AgentConfig, yaml_text
from sac.errors import (
    CheckpointError,
    ConfigError,
    DeviceError,
    EnvironmentSetupError,
    SACError,
)
from sac.metrics.logger import metric_tags
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from tests.sac.environments_for_tests import COUNTING, CopyingCountingEnv, CountingVectorEnv
from tests.sac.tiny_runs import (
    assert_same_arrays,
    checkpoint_steps,
    metrics,
    saved_arrays,
    steps_with,
    tiny_config,
)

TAGS_OF_THE_ISSUE = {
    "rollout/episode_return",
    "rollout/episode_length",
    "eval/mean_return",
    "eval/std_return",
    "train/q1_loss",
    "train/q2_loss",
    "train/policy_loss",
    "train/alpha_loss",
    "train/alpha",
    "train/entropy",
    "train/target_entropy",
    "train/q1_mean",
    "train/q2_mean",
    "train/target_q_mean",
    "time/env_steps_per_second",
    "time/updates_per_second",
}

# Same seed, same bits.

VARIANTS: list[dict[str, Any]] = [
    {"env": {"id": "CartPole-v1"}},
    {"env": {"id": "CartPole-v1", "num_envs": 2, "vectorization": "async"}},
    {"env": {"id": "CartPole-v1", "num_envs": 3, "vectorization": "native"}},
    {"env": {"id": "Pendulum-v1", "num_envs": 2}, "agent": {"normalize_observations": True}},
    {"env": {"id": "Pendulum-v1"}, "train": {"updates_per_step": 0.5}},
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_same_seed_gives_the_same_bits_whatever_other_generators_do(
    tmp_path: Path, variant: dict[str, Any]
) -> None:
    config = tiny_config(tmp_path, variant)
    autograd.manual_seed(1)
    np.random.seed(1)
    first = train(config).run_directory
    autograd.manual_seed(2)
    np.random.seed(2)
    second = train(config).run_directory
    assert first != second
    assert metrics(first, "time/") == metrics(second, "time/")
    assert len(metrics(first)) >= 6
    assert_same_arrays(saved_arrays(first, "agent"), saved_arrays(second, "agent"))
    assert_same_arrays(saved_arrays(first, "replay"), saved_arrays(second, "replay"))
    other = train(config.merged({"seed": 1})).run_directory
    assert metrics(first, "time/") != metrics(other, "time/")


def test_training_does_not_move_other_generators(tmp_path: Path) -> None:
    autograd.manual_seed(1)
    np.random.seed(1)
    expected = autograd.rand(3).tolist(), np.random.rand(3).tolist()
    autograd.manual_seed(1)
    np.random.seed(1)
    train(tiny_config(tmp_path))
    assert (autograd.rand(3).tolist(), np.random.rand(3).tolist()) == expected


def test_evaluating_more_often_changes_nothing_of_the_training(tmp_path: Path) -> None:
    runs = [
        train(tiny_config(tmp_path, {"evaluation": {"every_steps": n}})).run_directory
        for n in (0, 7)
    ]
    seldom, often = [
        [row for row in metrics(run, "time/", "eval/") if len(row) > 1] for run in runs
    ]
    assert seldom == often
    assert len(steps_with(runs[1], "eval/mean_return")) == 9
    assert_same_arrays(*(saved_arrays(run, "agent") for run in runs))
    assert_same_arrays(*(saved_arrays(run, "replay") for run in runs))


# What is written.


def test_run_directory(tmp_path: Path) -> None:
    config = tiny_config(tmp_path, {"name": "my config"})
    result = train(config)
    run = result.run_directory
    assert run.parent == tmp_path
    assert run.name.startswith("CartPole-v1-my_config-s0-")
    events = [path.name for path in run.glob("events.out.tfevents.*")]
    assert sorted(path.name for path in run.iterdir()) == sorted(
        [
            *("best", "checkpoints", "config.yaml", "metrics.csv", "replay", "run.lock"),
            *("versions.json", *events),
        ]
    )
    assert len(events) == 2
    assert Config.load(run / "config.yaml") == config
    assert checkpoint_steps(run) == [20, 40, 60]
    assert (run / "checkpoints" / "60" / "policy.safetensors").is_file()
    assert (result.step, result.total_steps, result.interrupted_by) == (60, 60, None)


# protobuf's generated code, not ours
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("num_soft_q_nets", [2, 3])
def test_tensorboard_reads_the_numbers_of_metrics_csv(tmp_path: Path, num_soft_q_nets: int) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    changes = {"agent": {"num_soft_q_nets": num_soft_q_nets}}
    run = train(tiny_config(tmp_path, changes)).run_directory
    events = EventAccumulator(str(run))
    events.Reload()
    tags = TAGS_OF_THE_ISSUE | set(
        metric_tags(metric_names(AgentConfig(num_soft_q_nets=num_soft_q_nets)))
    )
    tags -= {"rollout/success_rate", "eval/success_rate"}  # of which CartPole does not tell
    assert set(events.Tags()["scalars"]) == tags
    assert len(tags) == 19 + 2 * (num_soft_q_nets - 2)
    rows = metrics(run)
    for tag in tags:
        found = [(event.step, event.value) for event in events.Scalars(tag)]
        expected = [(int(row["step"]), np.float32(row[tag])) for row in rows if tag in row]
        assert found == expected, tag
    drawn = ("policy/", "q/", "weights/", "gradients/")
    assert [tag for tag in events.Tags()["tensors"] if not tag.startswith(drawn)] == [
        "_hparams_/session_start_info",
        "config",
        "custom_scalars__config__",
    ]


def test_fixed_temperature_logs_no_loss_and_no_target(tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path, {"agent": {"alpha": 0.125}})).run_directory
    assert {row["train/alpha"] for row in metrics(run) if "train/alpha" in row} == {"0.125"}
    assert not steps_with(run, "train/alpha_loss") + steps_with(run, "train/target_entropy")


def test_numbers_are_finite_and_the_rates_positive(tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path)).run_directory
    for row in metrics(run):
        assert all(math.isfinite(float(cell)) for cell in row.values())
    assert float(metrics(run)[-1]["time/env_steps_per_second"]) > 0


def test_trained_agent_acts_and_is_evaluated(tmp_path: Path, device: str) -> None:
    changes = {"env": {"id": "Pendulum-v1"}, "device": device}
    run = train(tiny_config(tmp_path, changes)).run_directory
    agent = SACAgent.load(run, device=device)
    action = agent.act(np.zeros(3, np.float32), deterministic=True)
    assert action.shape == (1,) and action.dtype == np.float32
    result = evaluate(run, episodes=2, checkpoint="last", device=device)
    assert (result.env, result.episodes, result.checkpoint_step) == ("Pendulum-v1", 2, 60)


# Resume.


def test_resume_goes_on_and_raises_the_total(tmp_path: Path) -> None:
    run = train(tiny_config(tmp_path)).run_directory
    before = metrics(run)
    best_return = max(float(row["eval/mean_return"]) for row in before if "eval/mean_return" in row)
    result = train(resume=str(run), overrides={"train": {"total_steps": 100}})
    assert (result.run_directory, result.step, result.total_steps) == (run, 100, 100)
    assert metrics(run)[: len(before)] == before
    assert [int(row["step"]) for row in metrics(run)][-1] == 100
    assert steps_with(run, "train/q1_loss") == [20, 30, 40, 50, 60, 70, 80, 90, 100]
    assert checkpoint_steps(run) == [60, 80, 100]
    assert int(saved_arrays(run, "agent")["updates"]) == 90
    assert len(saved_arrays(run, "replay")["reward"]) == 101
    assert Config.load(run / "config.yaml").train.total_steps == 100
    state = load_checkpoint(find_checkpoint(run, "last")).documents["state"]
    assert state["counters"]["best_return"] >= best_return


def test_resume_from_the_checkpoint_before_a_crash_drops_what_came_after(tmp_path: Path) -> None:
    config = tiny_config(tmp_path, {"checkpoint": {"every_steps": 25}})
    run = train(config).run_directory
    (run / "checkpoints" / "60").rename(tmp_path / "lost")
    train(resume=run)
    steps = [int(row["step"]) for row in metrics(run)]
    assert steps == sorted(set(steps))
    assert steps_with(run, "train/q1_loss") == [20, 30, 40, 50, 60]
    assert checkpoint_steps(run) == [25, 50, 60]


def test_finished_run_says_so_and_stays_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(tiny_config(tmp_path)).run_directory
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    capsys.readouterr()
    result = train(resume=run, overrides={"train": {"total_steps": 50}})
    assert (result.step, result.total_steps) == (60, 50)
    assert "nothing to do: the run has made 60 steps and is to make 50" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


# Weights from another run.


def untrained(root: Path, changes: dict[str, Any]) -> Config:
    """A run without a single update: its weights are those that it started with."""
    return tiny_config(root, {"train": {"total_steps": 20, "learning_starts": 20}} | changes)


@pytest.mark.parametrize("folder", [".", "best", "checkpoints/40"])
def test_new_run_starts_from_trained_weights(tmp_path: Path, folder: str) -> None:
    source = train(tiny_config(tmp_path / "source")).run_directory
    config = untrained(tmp_path / "new", {"seed": 5}).merged(
        {"train": {"init_from": str(source / folder)}}
    )
    run = train(config).run_directory
    which = {".": "best", "best": "best", "checkpoints/40": "40"}[folder]
    expected = saved_arrays(source, "agent", which)
    found = saved_arrays(run, "agent")
    weights = [name for name in expected if "_net" in name or name.startswith("temperature")]
    assert len(weights) > 20
    assert_same_arrays({n: found[n] for n in weights}, {n: expected[n] for n in weights})
    assert found["updates"] == 0, "its optimizers and counters are its own"
    assert not any("optimizer" in name for name in found)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"env": {"id": "Pendulum-v1"}}, "train.init_from: the checkpoint does not fit"),
        ({"agent": {"hidden_sizes": [8, 8]}}, "train.init_from: the checkpoint does not fit"),
        ({"agent": {"hidden_sizes": [9]}}, "hidden_sizes"),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    source = train(tiny_config(tmp_path / "source")).run_directory
    config = tiny_config(tmp_path / "new", changes).merged({"train": {"init_from": str(source)}})
    with pytest.raises(CheckpointError, match=message):
        train(config)
    assert not (tmp_path / "new").exists()


def test_missing_and_damaged_weights(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "new", {"train": {"init_from": str(tmp_path / "nowhere")}})
    with pytest.raises(CheckpointError, match=r"train\.init_from: .*nowhere"):
        train(config)
    source = train(tiny_config(tmp_path / "source")).run_directory
    (source / "best" / "agent.safetensors").write_bytes(b"junk")
    with pytest.raises(CheckpointError, match=r"train\.init_from: .*is damaged"):
        train(config.merged({"train": {"init_from": str(source)}}))
    assert not (tmp_path / "new").exists()


# Environments given as objects.

NO_ID = {"env": {"id": ""}}


def given_environment() -> gymnasium.Env:
    return gymnasium.make("CartPole-v1")


def given_vector() -> Any:
    return gymnasium.make_vec("CartPole-v1", 3)


def given_unregistered_vector() -> Any:
    return CountingVectorEnv(2)


GIVEN: list[tuple[Callable[[], Any], int, str]] = [
    (given_environment, 1, "CartPole-v1-s0-"),
    (given_vector, 3, "CartPole-v1-s0-"),
    (given_unregistered_vector, 2, "CountingVectorEnv-s0-"),
    (lambda: given_environment, 1, "CartPole-v1-s0-"),
    (lambda: given_vector, 3, "CartPole-v1-s0-"),
    (lambda: CopyingCountingEnv, 1, "CopyingCountingEnv-s0-"),
    (CopyingCountingEnv, 1, "CopyingCountingEnv-s0-"),
]


@pytest.mark.parametrize(("give", "num_envs", "name"), GIVEN)
def test_environment_in_every_form(
    tmp_path: Path, give: Callable[[], Any], num_envs: int, name: str
) -> None:
    result = train(tiny_config(tmp_path, NO_ID), env=give())
    assert result.evaluation is not None
    assert 60 <= result.step < 60 + num_envs
    assert result.run_directory.name.startswith(name)
    assert steps_with(result.run_directory, "eval/mean_return")
    resolved = Config.load(result.run_directory / "config.yaml")
    assert (resolved.env.id, resolved.env.num_envs) == ("", num_envs)
    assert f"{resolved.env.name}-s0-" == name


@pytest.mark.parametrize("given", [None, CopyingCountingEnv])
def test_an_environment_is_called_as_the_configuration_says(tmp_path: Path, given: Any) -> None:
    env = {"id": "CartPole-v1", "name": "two legs"}
    result = train(tiny_config(tmp_path, {"env": env}), env=given)
    assert result.run_directory.name.startswith("two_legs-s0-")
    assert Config.load(result.run_directory / "config.yaml").env.name == "two legs"


def test_environment_that_is_given_is_evaluated_beside_and_stays_open(tmp_path: Path) -> None:
    environment = CopyingCountingEnv()
    train(tiny_config(tmp_path), env=environment)
    assert environment.steps_in_all == 60, "evaluation has another one"
    assert not environment.is_closed


def test_callable_makes_every_environment(tmp_path: Path) -> None:
    made: list[CopyingCountingEnv] = []

    def make() -> CopyingCountingEnv:
        made.append(CopyingCountingEnv())
        return made[-1]

    changes = {"env": {"num_envs": 3}, "evaluation": {"every_steps": 0}}
    train(tiny_config(tmp_path, changes), env=make)
    assert [env.steps_in_all for env in made[:3]] == [20, 20, 20]
    assert len(made) == 4
    assert made[3].steps_in_all > 0
    assert all(env.is_closed for env in made)


def test_callable_in_processes_of_their_own(tmp_path: Path) -> None:
    changes = {"env": {"id": "", "num_envs": 2, "vectorization": "async"}}
    make = functools.partial(gymnasium.make, "CartPole-v1")
    assert train(tiny_config(tmp_path, changes), env=make).step == 60


def test_run_of_a_given_environment_is_resumed_and_evaluated_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = train(tiny_config(tmp_path), env=CopyingCountingEnv).run_directory
    more = {"train": {"total_steps": 70}}
    with pytest.raises(ConfigError, match=r"given as an object.*train\(resume=..., env=...\)"):
        train(resume=run, overrides=more)
    more_options = ["--train.total_steps", "70", "--env.id", "CartPole-v1"]
    assert main(["train", "--resume", str(run), *more_options]) == 2
    assert "resume it from Python, by train(resume=..., env=...)" in capsys.readouterr().err
    assert train(resume=run, env=CopyingCountingEnv, overrides=more).step == 70
    with pytest.raises(CheckpointError, match="given as an object"):
        evaluate(run)
    assert evaluate(run, env=CopyingCountingEnv, episodes=3, device="cpu").episodes == 3


# What can't be done is said before anything is started.


def refuse(
    root: Path, error: type[SACError], message: str, changes: dict[str, Any], **arguments: Any
) -> None:
    with pytest.raises(error, match=message):
        train(tiny_config(root, changes), **arguments)
    assert not root.exists()


def test_no_environment(tmp_path: Path) -> None:
    refuse(tmp_path / "runs", ConfigError, r"env\.id: expected a Gymnasium environment", NO_ID)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        (3, "expected a Gymnasium environment, a vector environment or a callable"),
        (lambda: 3, "expected the callable to make a Gymnasium environment"),
        (gymnasium.Env(), "can neither be made again nor copied|object has no attribute"),
    ],
)
def test_no_environment_at_all(tmp_path: Path, env: Any, message: str) -> None:
    refuse(tmp_path / "runs", SACError, message, NO_ID, env=env)


def test_one_environment_for_several(tmp_path: Path) -> None:
    changes = {"env": {"num_envs": 2}}
    environment = CopyingCountingEnv()
    refuse(tmp_path / "runs", EnvironmentSetupError, "give a callable", changes, env=environment)


def test_space_that_is_not_supported(tmp_path: Path) -> None:
    actions = gymnasium.spaces.Box(-np.inf, np.inf, (1,), np.float32)
    make = functools.partial(CopyingCountingEnv, actions)
    refuse(tmp_path / "runs", SACError, "Box", NO_ID, env=make)


def test_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autograd.cuda, "is_available", lambda: False)
    refuse(tmp_path / "runs", DeviceError, "no GPU can be used", {"device": "cuda"})


def test_folder_of_runs_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refuse(tmp_path / "file" / "runs", SACError, r"Set logging\.root", {})


@pytest.mark.parametrize("config", [None, {"env": {"id": COUNTING}}, "configs/pendulum.yaml"])
def test_configuration_of_another_type(config: Any) -> None:
    with pytest.raises(ConfigError, match="expected a Config or resume="):
        train(config)


def test_configuration_beside_a_run_to_resume(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="overrides="):
        train(tiny_config(tmp_path), resume=tmp_path)


def test_overrides_of_a_new_run(tmp_path: Path) -> None:
    result = train(tiny_config(tmp_path), overrides={"train": {"total_steps": 30}})
    assert result.step == 30


def test_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config\.yaml does not exist"):
        train(resume=tmp_path)


@pytest.mark.parametrize("vectorization", ["sync", "given as a vector"])
@pytest.mark.parametrize("num_envs", [1, 2])
def test_callable_that_returns_one_environment_twice_is_refused(
    tmp_path: Path, num_envs: int, vectorization: str
) -> None:
    env: Any = CopyingCountingEnv()
    if vectorization != "sync":
        env = SyncVectorEnv([CopyingCountingEnv] * num_envs)
    changes = {"env": {"num_envs": num_envs}}
    refuse(tmp_path / "runs", EnvironmentSetupError, "a new environment", changes, env=lambda: env)


def test_closes_what_it_made_when_something_else_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[CopyingCountingEnv] = []

    def make() -> CopyingCountingEnv:
        made.append(CopyingCountingEnv())
        return made[-1]

    start_from = {"train": {"init_from": str(tmp_path / "nowhere")}}
    refuse(tmp_path / "runs", CheckpointError, "init_from", start_from, env=make)
    assert len(made) == 2 and all(env.is_closed for env in made)


def test_configuration_that_could_not_be_read_again_leaves_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(yaml_text, "MAX_BYTES", 100)
    with pytest.raises(ConfigError, match="keep data in a file"):
        train(tiny_config(tmp_path))
    assert not list(tmp_path.iterdir())
