"""What a resumed run may change, whom it trusts, which checkpoint it uses, and that it is alone."""

import dataclasses
import errno
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import gymnasium
import pytest

from sac.config import AgentConfig, Config, EnvConfig, WrapperConfig
from sac.disk.lock import LOCK_FILE, RunLock
from sac.errors import CheckpointError, ConfigError, SACError, UnreadableError
from sac.evaluation.evaluate import evaluate
from sac.run.checkpoint import find_checkpoint
from sac.run.origin import is_own, sign
from sac.run.rules import check_changes, check_trusted, schedule_notes
from sac.training.run_state import RunState
from sac.training.train import train
from tests.sac.agents_for_tests import make_agent
from tests.sac.images_for_tests import IMAGE
from tests.sac.tiny_runs import (
    assert_same_arrays,
    checkpoint_steps,
    metrics,
    saved_arrays,
    tiny_config,
)

MORE = {"train": {"total_steps": 80}}
HOLD = """
import sys
from pathlib import Path
from sac.disk.lock import RunLock
with RunLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose files no test changes."""
    return train(tiny_config(tmp_path_factory.mktemp("runs"))).run_directory


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    import shutil

    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.parametrize(
    "changes",
    [
        {"train": {"total_steps": 200_000}},
        {"device": "cpu"},
        {"logging": {"every_steps": 3, "videos_every_steps": 5, "histograms_every_steps": 0}},
        {"logging": {"also": ["wandb"]}},
        {"evaluation": {"episodes": 2}},
        {"checkpoint": {"keep": 1}},
        {"agent": {"gamma": 0.99}},
    ],
    ids=str,
)
def test_what_may_change(changes: dict[str, Any]) -> None:
    check_changes(Config(), Config().merged(changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"agent": {"final_lr_fraction": 0.1}}, "learning rates (agent.final_lr_fraction) follow"),
        ({"train": {"priority_alpha": 0.6}}, "weights of prioritised replay (train.priority_beta)"),
        ({"train": {"priority_alpha": 0.6, "priority_beta": 1}}, None),
        ({}, None),
    ],
    ids=str,
)
def test_more_steps_move_what_follows_a_schedule(
    changes: dict[str, Any], words: str | None
) -> None:
    saved = Config().merged(changes)
    assert schedule_notes(saved, saved) == []
    notes = schedule_notes(saved, saved.merged({"train": {"total_steps": 2_000_000}}))
    assert len(notes) == (words is not None)
    assert all(str(words) in note and "of 2,000,000" in note for note in notes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"env": {"num_envs": 2}}, "env.num_envs: .*expected 1, got 2: the episodes"),
        ({"agent": {"gamma": 0.5}}, "agent.gamma: .*expected 0.99, got 0.5: the trained"),
        ({"train": {"batch_size": 8}}, "train.batch_size: .*what was learned"),
        ({"seed": 1}, "seed: .*streams of random numbers.*--train.init_from"),
        ({"name": "other"}, "name: .*folder"),
        ({"logging": {"root": "other"}}, "logging.root: .*expected runs, got other: .*own folder"),
    ],
    ids=str,
)
def test_what_a_resumed_run_keeps(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_changes(Config(), Config().merged(changes))


OTHERS: dict[str, Any] = {
    "gamma": 0.5,
    "tau": 0.1,
    "hidden_sizes": [9],
    "activation": "elu",
    "critic_hidden_sizes": [7],
    "network": "simba",
    "encoder": "none",
    "random_shift": 2,
    "critic_norm": "layer",
    "policy_norm": "rms",
    "critic_dropout": 0.1,
    "unit_weights": True,
    "critic": "categorical",
    "num_soft_q_nets": 3,
    "min_over": 1,
    "num_quantiles": 5,
    "drop_quantiles": 1,
    "num_atoms": 7,
    "value_bound": 3.0,
    "entropy_in_target": False,
    "policy_lr": 0.1,
    "soft_q_lr": 0.1,
    "alpha_lr": 0.1,
    "final_lr_fraction": 0.1,
    "policy_delay": 2,
    "adam_betas": [0.5, 0.9],
    "weight_decay": 0.1,
    "alpha": 0.3,
    "initial_alpha": 0.3,
    "alpha_per_part": True,
    "target_entropy": -0.3,
    "target_std": 0.3,
    "log_std_min": -5.0,
    "log_std_max": 1.0,
    "gsde_log_std": -1.0,
    "max_grad_norm": 1.0,
    "normalize_observations": True,
    "normalize_rewards": True,
    "reward_scale": 2.0,
}
STARTS: dict[str, dict[str, Any]] = {  # of which the key changes something; others: {}
    "encoder": {"observations": IMAGE},
    "min_over": {"critic": "redq"},
    "num_quantiles": {"critic": "tqc"},
    "drop_quantiles": {"critic": "tqc"},
    "num_atoms": {"critic": "categorical"},
    "value_bound": {"critic": "categorical"},
    "alpha_per_part": {"actions": "parts"},
}


def test_every_setting_of_the_agent_has_another_value_here() -> None:
    assert OTHERS.keys() == {field.name for field in dataclasses.fields(AgentConfig)}


@pytest.mark.parametrize("key", OTHERS)
def test_init_from_is_named_for_what_it_can_change(key: str) -> None:
    with pytest.raises(ConfigError, match="start a new run to change it") as refusal:
        check_changes(Config(), Config().merged({"agent": {key: OTHERS[key]}}))
    start = STARTS.get(key, {})
    before, after = make_agent(**start), make_agent(**{**start, key: OTHERS[key]})
    try:
        after.load_weights(before.state_dict())
        fits = True
    except CheckpointError:
        fits = False
    assert ("--train.init_from" in str(refusal.value)) == fits


def test_init_from_takes_over_another_environment_of_the_same_spaces() -> None:
    with pytest.raises(
        ConfigError, match=r"with --train\.init_from where the spaces stay the same"
    ):
        check_changes(Config(), Config().merged({"env": {"id": "Other-v0"}}))


def test_resume_refuses_a_change_before_it_touches_the_run(run: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in run.iterdir()}
    with pytest.raises(ConfigError, match=r"agent\.tau"):
        train(resume=run, overrides={**MORE, "agent": {"tau": 0.5}})
    assert {path.name: path.stat().st_mtime_ns for path in run.iterdir()} == before


STRANGE_ID = EnvConfig("this.module_of_a_stranger:Env-v0")  # a module that is there
STRANGE_WRAPPER = EnvConfig("CartPole-v1", wrappers=[WrapperConfig("os.system")])


@pytest.mark.parametrize("env", [STRANGE_ID, STRANGE_WRAPPER], ids=["id", "wrapper"])
def test_code_that_only_the_run_names_is_not_run(env: EnvConfig) -> None:
    with pytest.raises(ConfigError, match=r"module_of_a_stranger|os\.system"):
        check_trusted(env, {})


@pytest.mark.parametrize(
    "env",
    [
        EnvConfig("not_here_at_all:Env-v0"),
        EnvConfig("CartPole-v1", wrappers=[WrapperConfig("not_here_at_all.Wrapper")]),
    ],
)
def test_a_module_that_is_not_there_is_no_matter_of_trust(env: EnvConfig, tmp_path: Path) -> None:
    told = r"the module 'not_here_at_all', which .* was found neither here nor .* in its folder"
    with pytest.raises(ConfigError, match=told):
        check_trusted(env, {})
    (tmp_path / "not_here_at_all.py").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        with pytest.raises(ConfigError, match="give --trust"):
            check_trusted(env, {})


def test_code_that_the_user_names_too_is_run() -> None:
    check_trusted(STRANGE_ID, {"id": STRANGE_ID.id})
    check_trusted(STRANGE_WRAPPER, {"wrappers": ["given"]})


CLUSTER = EnvConfig("CartPole-v1", vectorization="ray", ray_address="ray://stranger:10001")


def test_cluster_that_only_the_run_names_is_not_connected_to(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cluster at 'ray://stranger:10001'.*--trust"):
        check_trusted(CLUSTER, {})
    check_trusted(CLUSTER, {"ray_address": CLUSTER.ray_address})
    check_trusted(CLUSTER.alone(), {})
    sign(tmp_path, CLUSTER)
    assert is_own(tmp_path, CLUSTER)
    assert not is_own(tmp_path, dataclasses.replace(CLUSTER, ray_address="ray://another:10001"))


IMPORT = {"$import": "os.system"}


@pytest.mark.parametrize(
    "env",
    [
        EnvConfig("CartPole-v1", {"f": [IMPORT]}),
        EnvConfig("CartPole-v1", wrappers=[WrapperConfig("gymnasium.wrappers.A", {"f": IMPORT})]),
    ],
    ids=["kwargs", "wrapper"],
)
def test_imports_in_arguments_need_trust_too(env: EnvConfig) -> None:
    with pytest.raises(ConfigError, match=r"'os\.system'.*--trust"):
        check_trusted(env, {"kwargs": {"g": {"$import": "os.remove"}}})
    check_trusted(env, {"kwargs": {"f": IMPORT}})


def test_what_names_no_code_needs_no_trust() -> None:
    wrapper = WrapperConfig("gymnasium.wrappers.RescaleAction")
    check_trusted(EnvConfig("CartPole-v1", wrappers=[wrapper]), {})
    check_trusted(EnvConfig("pytest:Imported-v0"), {})


def write_strange_module(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    proof = folder / "it_ran"
    (folder / "strange.py").write_text(
        "import pathlib, gymnasium\n"
        f"pathlib.Path({str(proof)!r}).touch()\n"
        "entry_point = 'gymnasium.envs.classic_control:CartPoleEnv'\n"
        "gymnasium.register('Strange-v0', entry_point, max_episode_steps=500)\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(folder))
    return proof


def forget(proof: Path) -> None:
    proof.unlink()
    sys.modules.pop("strange")
    gymnasium.registry.pop("Strange-v0")


def test_trust_in_resume_and_evaluate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proof = write_strange_module(tmp_path, monkeypatch)
    strange = {"env": {"id": "strange:Strange-v0"}}
    run = train(tiny_config(tmp_path / "runs", strange)).run_directory
    forget(proof)
    (run / "signature").unlink()
    with pytest.raises(ConfigError, match="--trust"):
        train(resume=run, overrides=MORE)
    assert not proof.exists()
    train(resume=run, overrides=MORE, trust=True)
    assert proof.exists()
    forget(proof)
    evaluate(run, episodes=1, checkpoint="last")  # the user's own from the resume on
    assert proof.exists()
    forget(proof)
    (run / "signature").unlink()
    with pytest.raises(ConfigError, match="--trust"):
        evaluate(run, episodes=1, checkpoint="last")
    assert not proof.exists()
    evaluate(run, episodes=1, checkpoint="last", trust=True)


def test_key_that_was_edited_in_the_run_is_refused(run: Path) -> None:
    config = Config.load(run / "config.yaml")
    (run / "config.yaml").write_text(config.merged({"seed": 5}).to_yaml(), encoding="utf-8")
    with pytest.raises(ConfigError, match="seed: a resumed run keeps its own, expected 0, got 5"):
        train(resume=run, overrides=MORE)
    edited = config.merged(MORE).merged({"checkpoint": {"keep": 9}})
    (run / "config.yaml").write_text(edited.to_yaml(), encoding="utf-8")
    result = train(resume=run)
    assert result.step == result.total_steps == edited.train.total_steps


def damage(run: Path, step: int, kind: str) -> None:
    path = run / "checkpoints" / str(step) / "agent.safetensors"
    data = bytearray(path.read_bytes())
    match kind:
        case "bit":
            data[len(data) // 2] ^= 1
        case "cut":
            del data[len(data) // 2 :]
    path.write_bytes(data)
    if kind == "gone":
        path.unlink()


@pytest.mark.parametrize("kind", ["bit", "cut", "gone"])
def test_damaged_newest_checkpoint_is_told_and_the_one_before_used(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    expected = {which: saved_arrays(run, "agent", which) for which in ("60", "best")}
    rows = metrics(run, "time/")
    damage(run, 60, kind)
    assert train(resume=run).step == 60
    assert "The checkpoint before it is used" in capsys.readouterr().out
    assert_same_arrays(saved_arrays(run, "agent", "60"), expected["60"])
    assert_same_arrays(saved_arrays(run, "agent", "best"), expected["best"])
    assert metrics(run, "time/") == rows
    assert checkpoint_steps(run) == [20, 40, 60]
    assert (run / "damaged-60").is_dir()


@pytest.mark.parametrize(
    "name", ["checkpoints", "checkpoints/60/agent.safetensors", "replay/ring-action.bin"]
)
def test_newest_checkpoint_that_cannot_be_read_is_kept(
    run: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It need not be damaged: a permission or a network is missing for now."""
    with monkeypatch.context() as refused:
        for function in ("open", "os.listdir"):
            refuse(refused, function, run / name)
        with pytest.raises(UnreadableError, match=rf"Can't read '.*{name.split('/')[0]}.*denied"):
            train(resume=run, overrides=MORE)
    assert checkpoint_steps(run) == [20, 40, 60]
    assert not list(run.glob("damaged-*"))
    assert train(resume=run, overrides=MORE).step == MORE["train"]["total_steps"]


def refuse(monkeypatch: pytest.MonkeyPatch, function: str, path: Path) -> None:
    module, name = function.rpartition(".")[::2]
    original = getattr(importlib.import_module(module or "builtins"), name)

    def refusing(given: Any, *args: Any, **keys: Any) -> Any:
        if Path(given) == path:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return original(given, *args, **keys)

    monkeypatch.setattr(f"{module or 'builtins'}.{name}", refusing)


def test_damaged_checkpoint_stays_until_the_one_before_it_is_in_use(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(run, 60, "bit")
    with monkeypatch.context() as failing:
        failing.setattr(RunState, "restore", Mock(side_effect=CheckpointError("does not fit")))
        with pytest.raises(CheckpointError, match="does not fit"):
            train(resume=run, overrides=MORE)
    assert checkpoint_steps(run) == [20, 40, 60]


def test_no_usable_checkpoint_left(run: Path) -> None:
    for step in checkpoint_steps(run):
        damage(run, step, "bit")
    with pytest.raises(CheckpointError, match=r"None of the 3 checkpoints .*60.*damaged"):
        train(resume=run, overrides=MORE)
    assert find_checkpoint(run, "last").name == "60"


def test_run_that_is_alive_is_not_resumed(run: Path) -> None:
    with RunLock(run), pytest.raises(SACError, match=r"in use: .* on host .* as process \d+"):
        train(resume=run, overrides=MORE)
    train(resume=run, overrides=MORE)
    assert (run / LOCK_FILE).read_bytes() == b""


def test_process_that_was_killed_leaves_the_run_free(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(SACError, match=f"as process {holder.pid}"), RunLock(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with RunLock(tmp_path):
        pass
