"""The train command: what it hands to the trainer, and what it refuses."""

import io
import signal
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sac.cli import COMMANDS, main, run_command
from sac.config import Config, EnvConfig, TrainConfig
from sac.config.keys import list_keys
from sac.errors import EnvironmentSetupError
from tests.sac.cli.conftest import Recorder

KEYS = [key.name for key in list_keys(Config)]


def run(*argv: object) -> int:
    return run_command("train", [str(argument) for argument in argv], "train.py")


def resolved(recorder: Recorder) -> Config:
    ((config,), kwargs) = recorder.calls[0]
    assert not kwargs
    return config


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "swing.yaml"
    path.write_text("env: {id: Pendulum-v1, kwargs: {g: 9.8}}\nseed: 5\n", encoding="utf-8")
    return path


@pytest.fixture
def run_directory(tmp_path: Path) -> Path:
    config = Config(env=EnvConfig("Pendulum-v1"), train=TrainConfig(total_steps=2000), name="mine")
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    return run


def test_file_alone(train: Recorder, file: Path) -> None:
    assert run("--config", file) == 0
    expected = Config(env=EnvConfig("Pendulum-v1", kwargs={"g": 9.8}), seed=5, name="swing")
    assert resolved(train) == expected


def test_options_alone(train: Recorder) -> None:
    assert run("--env.id", "Pendulum-v1") == 0
    assert resolved(train) == Config(env=EnvConfig("Pendulum-v1"))


@pytest.mark.parametrize("file_first", [True, False])
def test_option_wins_over_the_file_wherever_it_stands(
    train: Recorder, file: Path, file_first: bool
) -> None:
    options: list[Any] = ["--seed", "3", "--agent.gamma=0.98", "--train.total_steps", "2e4"]
    source: list[Any] = ["--config", file]
    assert run(*(source + options if file_first else options + source)) == 0
    config = resolved(train)
    assert (config.seed, config.agent.gamma, config.train.total_steps) == (3, 0.98, 20000)


@pytest.mark.parametrize(
    ("argv", "key", "value"),
    [
        (["--agent.target_entropy", "-2"], "agent.target_entropy", -2.0),
        (["--agent.target_entropy", "-2e-1"], "agent.target_entropy", -0.2),
        (["--agent.log_std_min=-1.5e1"], "agent.log_std_min", -15.0),
        (["--agent.alpha", "auto"], "agent.alpha", "auto"),
        (["--agent.hidden_sizes", "[64, 32]"], "agent.hidden_sizes", [64, 32]),
        (["--agent.normalize_observations", "true"], "agent.normalize_observations", True),
        (["--agent.max_grad_norm", "10"], "agent.max_grad_norm", 10.0),
        (["--agent.max_grad_norm", "null"], "agent.max_grad_norm", None),
        (["--name", "1e4"], "name", "1e4"),
        (["--name", "null"], "name", None),
        (["--device", "cuda:1"], "device", "cuda:1"),
        (["--env.kwargs", "{g: 1.0, mode: off}"], "env.kwargs", {"g": 1.0, "mode": False}),
        (["--env.kwargs.g", "-2.5e0"], "env.kwargs", {"g": -2.5}),
        (["--env.kwargs.a.b=1", "--env.kwargs.a.c", "x"], "env.kwargs.a", {"b": 1, "c": "x"}),
        (
            ["--env.wrappers", "[{class_path: a.B, kwargs: {n: 2}}]"],
            "env.wrappers",
            [{"class_path": "a.B", "kwargs": {"n": 2}}],
        ),
        (["--train.total_steps", "57"], "train.learning_starts", 5),
    ],
)
def test_option_values(train: Recorder, argv: list[str], key: str, value: Any) -> None:
    assert run("--env.id", "Pendulum-v1", *argv) == 0
    found: Any = resolved(train).to_dict()
    for part in key.split("."):
        found = found[part]
    assert found == value
    assert type(found) is type(value)


def test_environment_arguments_are_laid_over_the_files(train: Recorder, file: Path) -> None:
    assert run("--config", file, "--env.kwargs.render_mode", "rgb_array") == 0
    assert resolved(train).env.kwargs == {"g": 9.8, "render_mode": "rgb_array"}


def test_print_config_is_the_resolved_yaml(
    train: Recorder, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--print_config", "--config", file, "--agent.tau", "0.01") == 0
    config = Config.from_yaml(capsys.readouterr().out)
    assert (config.seed, config.agent.tau, config.name) == (5, 0.01, "swing")
    assert not train.calls


def test_resume_hands_over_the_run_and_only_what_was_given(
    train: Recorder, run_directory: Path
) -> None:
    assert run("--resume", run_directory, "--train.total_steps", "5e4", "--device", "cpu") == 0
    overrides = {"train": {"total_steps": 5e4}, "device": "cpu"}
    arguments = {"resume": run_directory, "overrides": overrides, "trust": False}
    assert train.calls == [((None,), arguments)]


def test_trust_is_handed_over(train: Recorder, run_directory: Path) -> None:
    assert run("--resume", run_directory, "--trust") == 0
    assert train.calls[0][1]["trust"] is True


def test_resume_prints_the_runs_config_with_overrides(
    train: Recorder, run_directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--resume", run_directory, "--train.total_steps", "3000", "--print_config") == 0
    config = Config.from_yaml(capsys.readouterr().out)
    assert (config.train.total_steps, config.name) == (3000, "mine")


# Arguments, where FILE, RUN, EMPTY stand for a good file, a run, an empty folder; the message.
REFUSED = [
    ("", "no environment: give --config FILE, --resume RUN or --env.id"),
    ("--config nowhere.yaml", "config file nowhere.yaml does not exist"),
    ("--config EMPTY", "is a directory, expected a YAML file"),
    ("--config FILE --agent.gama 0.9", "unknown option --agent.gama, the nearest is --agent.gamma"),
    ("--config FILE --agent.gama=0.9", "unknown option --agent.gama, the nearest is --agent.gamma"),
    ("--confg FILE", "unknown option --confg, the nearest is --config"),
    ("--conf FILE", "unknown option --conf, the nearest is --config"),
    ("--config FILE --gamma 0.9", "unknown option --gamma, the nearest is --agent.gamma"),
    ("--config FILE --agent.gamma 1.5", "agent.gamma: expected a number from 0 to 1, got 1.5"),
    ("--config FILE --agent.gamma high", "agent.gamma: expected a number from 0 to 1, got 'high'"),
    ("--config FILE --agent.gamma nan", "agent.gamma: expected a number from 0 to 1, got 'nan'"),
    ("--config FILE --agent.gamma -.inf", "agent.gamma: expected a number from 0 to 1, got -inf"),
    ("--config FILE --agent.gamma [", "--agent.gamma is not valid YAML"),
    ("--config FILE --seed -1", "seed: expected a whole number from 0"),
    ("--config FILE --seed 1.5", "seed: expected a whole number from 0"),
    ("--config FILE --seed true", "seed: expected a whole number from 0"),
    ("--config FILE --seed", "argument --seed: expected one argument"),
    ("--config FILE --seed=--", "argument --seed: expected a value, got '--'"),
    (
        "--config FILE --train.total_steps 10 --train.learning_starts 11",
        "train.learning_starts: expected at most train.total_steps (10), got 11",
    ),
    ("--config FILE --seed 1 --seed 2", "argument --seed: given more than once"),
    ("--config FILE --seed=1 --seed=1", "argument --seed: given more than once"),
    ("--config FILE --config FILE", "argument --config: given more than once"),
    ("--env.kwargs.a.b 1 --env.kwargs.a.b 2", "argument --env.kwargs.a.b: given more than once"),
    (
        "--config FILE --agent.learning_rate 1",
        "the nearest is --agent.policy_lr or --agent.soft_q_lr or --agent.alpha_lr",
    ),
    ("--config FILE --agent.hidden_sizes 64,64", ", got '64,64': write [64, 64]"),
    ("--config FILE --train.buffer_size 3e9", "a whole number from 1 to 1073741824, got 3"),
    ("--config FILE --agent.hidden_sizes 64", ", got 64: write [64]"),
    ("--config FILE --env.kwargs.g nan", "'nan' may be a number or text: write .nan, .inf or"),
    ("--config FILE --env.kwargs.a [-inf]", "text: write .nan, .inf or -.inf, or '-inf' in quotes"),
    ("--config FILE --seed 1:30", "seed: expected a whole number from 0"),
    ("--config FILE --device tpu", "device: expected auto, cpu, cuda or cuda:N, got 'tpu'"),
    ("--config FILE --env.kwargs 3", "env.kwargs: expected keys with plain values"),
    ("--config FILE --env.kwargs.g", "--env.kwargs.g: expected --env.kwargs.NAME VALUE"),
    ("--config FILE --env.kwargs. 3", "expected --env.kwargs.NAME VALUE"),
    ("--env.kwargs.g --seed 3", "--env.kwargs.g: expected --env.kwargs.NAME VALUE"),
    ("--config FILE extra", "unexpected argument 'extra'"),
    ("--config FILE -x", "unexpected argument '-x'"),
    ("--resume nowhere", "cannot resume nowhere: it does not exist; expected a run"),
    ("--resume " + "x" * 5000, "it does not exist; expected a run directory"),
    ("--resume EMPTY", "contains no config.yaml"),
    ("--resume RUN --config FILE", "leave out --config"),
    ("--resume RUN --agent.gamma 2", "agent.gamma: expected a number from 0 to 1, got 2"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_refusal_is_one_line_and_status_2(
    train: Recorder,
    file: Path,
    run_directory: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: str,
    message: str,
) -> None:
    (tmp_path / "empty").mkdir()
    stands_for = {"FILE": file, "RUN": run_directory, "EMPTY": tmp_path / "empty"}
    assert run(*(stands_for.get(word, word) for word in arguments.split())) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out
    assert not train.calls


@pytest.mark.parametrize("content", [b"", b"- 1", b"a: [", b"seed: \xff", b"agent: 3", b"sed: 1"])
def test_bad_file_is_refused(
    train: Recorder, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(content)
    assert run("--config", path) == 2
    assert capsys.readouterr().err.startswith(f"error: {path}")
    assert not train.calls


def test_error_from_the_trainer_is_a_message(
    train: Recorder, capsys: pytest.CaptureFixture[str]
) -> None:
    train.error = EnvironmentSetupError("no environment Pendulm-v1")
    assert run("--env.id", "Pendulm-v1") == 2
    assert capsys.readouterr().err == "error: no environment Pendulm-v1\n"


def test_interrupt_has_the_status_that_shells_expect(train: Recorder) -> None:
    train.error = KeyboardInterrupt()
    assert run("--env.id", "Pendulum-v1") == 130


def test_training_that_a_signal_ended_early_has_that_signals_status(train: Recorder) -> None:
    train.result.interrupted_by = signal.SIGTERM
    assert run("--env.id", "Pendulum-v1") == 143


def test_help_explains_every_key_with_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        run("--help")
    assert caught.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for key in list_keys(Config):
        default = str(key.default) if isinstance(key.default, str | float) else ""
        words = text.partition(f"--{key.name} VALUE ")[2]
        assert words.startswith(" ".join(key.option.help.split())), key.name
        assert default in words.partition(" --")[0], key.name


def test_python_m_sac(train: Recorder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--env.id", "Pendulum-v1", "--agent.target_entropy", "-1e0"]) == 0
    assert resolved(train).agent.target_entropy == -1
    assert main([]) == 0
    assert f"{{{','.join(COMMANDS)}}}" in capsys.readouterr().out
    assert main(["trian"]) == 2
    assert "choose from" in capsys.readouterr().err
    assert main(["train", "--agent.gamma", "2"]) == 2
    assert "agent.gamma" in capsys.readouterr().err


visible = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=8)
values = visible | st.sampled_from(
    [
        "1e4",
        "-1",
        "-inf",
        ".nan",
        "null",
        "[1",
        "{a: 1}",
        "auto",
        "*a",
        "!!binary a",
        "--",
        "%s",
        "",
    ]
)
option_names = st.sampled_from(
    [f"--{name}" for name in [*KEYS, "config", "resume", "print_config", "env.kwargs.x", "seeed"]]
)
tokens = option_names | values | st.builds("{}={}".format, option_names, values)


@settings(deadline=None, max_examples=200)
@given(st.lists(tokens, max_size=8), st.binary(max_size=40) | st.just(b"env: {id: a}"))
def test_junk_never_gives_a_traceback(argv: list[str], content: bytes) -> None:
    trainer = ModuleType("sac.training.train")
    result = SimpleNamespace(
        interrupted_by=None,
        run_directory=Path("runs/x"),
        step=1,
        total_steps=2,
        evaluation=None,
        stopped=None,
        best_return=None,
    )
    trainer.train = lambda *args, **kwargs: result  # type: ignore[attr-defined]
    errors = io.StringIO()
    with (
        tempfile.NamedTemporaryFile(suffix=".yaml") as file,
        pytest.MonkeyPatch.context() as patch,
        redirect_stderr(errors),
        redirect_stdout(io.StringIO()),
    ):
        file.write(content)
        file.flush()
        patch.setitem(sys.modules, "sac.training.train", trainer)
        for arguments in (argv, ["--config", file.name, *argv]):
            status = run(*arguments)
            assert status in (0, 2)
    lines = errors.getvalue().splitlines()
    assert all(line.startswith("error: ") for line in lines)


def test_preset_lies_below_file_and_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("env: {id: Pendulum-v1}\nagent: {num_soft_q_nets: 4}")
    options = ["--preset", "redq", "--train.updates_per_step", "3", "--print_config"]
    assert main(["train", "--config", str(file), *options]) == 0
    config = Config.from_yaml(capsys.readouterr().out)
    assert (config.agent.critic, config.agent.num_soft_q_nets) == ("redq", 4)
    assert (config.train.updates_per_step, config.name) == (3, "mine-redq")


def test_keys_of_the_file_that_overrule_a_preset_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("env: {id: Pendulum-v1}\nagent: {num_soft_q_nets: 3}\n", encoding="utf-8")
    assert main(["train", "--config", str(file), "--preset", "redq", "--print_config"]) == 0
    told = capsys.readouterr().err
    assert told == (
        f"note: {file} sets agent.num_soft_q_nets itself, which wins over the preset redq\n"
    )


def test_resume_refuses_a_preset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--resume", str(tmp_path), "--preset", "redq"]) == 2
    assert "leave out --preset" in capsys.readouterr().err
