"""What the pages say to type: every command is parsed, and what takes seconds runs."""

import argparse
import importlib.util
import re
import runpy
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from sac import Config, SACAgent
from sac.cli import COMMANDS, run_command
from sac.config.keys import list_keys, merge
from sac.config.shipped import PRESETS, names
from sac.training.train import train
from scripts.benchmarks.command import main as benchmark
from tests.sac.tiny_runs import TINY, tiny_config, tiny_options
from tests.test_commands import ROOT, run

PAGES = [ROOT / folder / "README.md" for folder in (".", "autograd", "sac", "configs", "scripts")]
MOST_LINES, MOST_BYTES = 200, 12_000  # of README.md
FIRST_COMMANDS = [
    "pip install -e . && python scripts/train.py --config configs/pendulum.yaml",
    'pip install -e ".[test]" && pytest',
]
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OURS = re.compile(r"python (?:scripts/\w+\.py|-m sac)")
SECTIONS = "env|agent|train|evaluation|checkpoint|logging"
PLACEHOLDERS = {"<run>": "run", "<python>": sys.executable}
NEEDS = {  # of an extra that tests may lack
    "policy.onnx": "onnx",
    "--video": "imageio_ffmpeg",
    "scripts/record.py": "minari",
    "configs/fetch_reach.yaml": "gymnasium_robotics",
}
FUNCTIONS = [  # which the commands call once they have understood what was typed
    "sac.training.train.train",
    "sac.cli.train.train_seeds",
    "sac.evaluation.evaluate.evaluate",
    "sac.diagnosis.run.diagnose",
    "sac.plots.plot",
    "sac.export.export",
    "sac.share.card.write_card",
    "sac.share.episodes.record",
    "sac.sweep.trials.load_optuna",
]


class Command(NamedTuple):
    """Words that a page says to type, after `python`."""

    page: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join((self.page, *self.words))

    @property
    def takes_seconds(self) -> bool:
        return not self.is_benchmark and "sweep" not in self.words[0]

    @property
    def is_benchmark(self) -> bool:
        return "benchmark" in self.words[0]


class Parsed(Exception):
    """Ends a command that has understood what was typed."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return [block for name, block in FENCED.findall(text) if name == language]


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def spans(page: Path) -> list[str]:
    """The pieces of code within the prose of a page."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def commands() -> Iterator[Command]:
    for page in PAGES:
        for line in [*"".join(blocks(page, "sh")).splitlines(), *spans(page)]:
            for typed in line.partition(" # ")[0].split("&&"):
                if OURS.match(typed.strip()):
                    words = [filled_in(word) for word in shlex.split(typed)]
                    yield Command(name_of(page), tuple(words[1:]))


def filled_in(word: str) -> str:
    for placeholder, value in PLACEHOLDERS.items():
        word = word.replace(placeholder, value)
    return word


ALL = list(commands())
QUICK = list({command.words: command for command in ALL if command.takes_seconds}.values())
EXAMPLES = [
    pytest.param(block, id=f"{name_of(page)} {number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "python"))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout as the pages see it, with the runs that they name."""
    path = tmp_path_factory.mktemp("checkout")
    for name in ("configs", "scripts"):
        (path / name).symlink_to(ROOT / name)
    config = tiny_config(path / "made", {"env": {"id": "Pendulum-v1"}})
    trained = train(config).run_directory
    for name in ("run", "a", "b"):
        shutil.copytree(trained, path / "runs" / name)
    return path


def stop(*_: object, **__: object) -> None:
    raise Parsed


# protobuf's generated code, not ours
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_no_command_is_overlooked() -> None:
    lines = [line for page in PAGES for line in prose(page).splitlines()]
    assert not [line for line in lines if line.count("`") % 2]
    written = [OURS.findall(page.read_text(encoding="utf-8")) for page in PAGES]
    assert len(ALL) == sum(map(len, written)) > 20


@pytest.mark.parametrize("command", ALL, ids=str)
def test_command_is_understood(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    script, *arguments = command.words
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    if command.is_benchmark:
        parse = argparse.ArgumentParser.parse_args
        monkeypatch.setattr(
            argparse.ArgumentParser, "parse_args", lambda *given: stop(parse(*given))
        )
        with pytest.raises(Parsed):
            benchmark(arguments)
        return
    for function in FUNCTIONS:
        monkeypatch.setattr(function, stop)
    with pytest.raises((Parsed, SystemExit)) as ended:
        if script == "-m":
            monkeypatch.setattr(sys, "argv", ["sac", *arguments[1:]])
            runpy.run_module("sac", run_name="__main__")
        else:
            runpy.run_path(script, run_name="__main__")
    if isinstance(ended.value, SystemExit):  # it had nothing to call
        assert not ended.value.code


@pytest.mark.parametrize("command", QUICK, ids=str)
def test_command_runs(folder: Path, command: Command) -> None:
    for word, package in NEEDS.items():
        if word in command.words and importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    done = run(*shortened(command.words), cwd=folder)
    assert done.status in ((0, 1) if "--strict" in command.words else (0,)), done
    assert done.out


def shortened(words: tuple[str, ...]) -> list[str]:
    """The command, with a tiny training where it trains."""
    steps = "--train.total_steps"
    short = [
        "120" if before == steps else word
        for before, word in zip(("", *words), words, strict=False)
    ]
    if not {"--config", "--env.id"} & {*words} or "--print_config" in words:
        return short
    options = tiny_options(Path("runs"))
    pairs = zip(options[::2], options[1::2], strict=True)
    return short + [text for name, value in pairs if name not in words for text in (name, value)]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example_is_python_and_runs_where_it_is_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], example: str
) -> None:
    code = compile(example, "<example>", "exec")
    if not example.startswith(("import ", "from ")):
        return  # an excerpt
    load = Config.load
    short = {key: value for key, value in TINY.items() if key != "env"}

    def load_short(path: str, overrides: Any = None) -> Config:
        return load(path, merge(short, overrides or {}))

    monkeypatch.chdir(folder)
    monkeypatch.setattr(Config, "load", load_short)
    exec(code, {})
    printed = capsys.readouterr().out.splitlines()
    expected = re.findall(r"^print\(.*\) +# (.+)$", example, re.MULTILINE)
    assert {*expected} <= {*printed}


def test_the_update_is_shown_as_it_stands() -> None:
    (shown,) = [block for block in blocks(ROOT / "sac" / "README.md", "python") if "J_pi" in block]
    source = (ROOT / "sac" / "agent" / "agent.py").read_text(encoding="utf-8")
    assert [line.strip() for line in shown.splitlines()] == [
        line.strip() for line in source.partition("def _learn")[2].splitlines()[3:11]
    ]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_keys_and_options_in_the_text_exist(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = {key.name for key in list_keys(Config)}
    for span in spans(page):
        for key in re.findall(rf"^((?:{SECTIONS})\.(?!py\b)\w+)", span):
            assert key in keys or hasattr(SACAgent, key.removeprefix("agent.")), span
    for name in COMMANDS:
        with pytest.raises(SystemExit):
            run_command(name, ["--help"], name)
    with pytest.raises(SystemExit):
        benchmark(["--help"])
    known = {*re.findall(r"--[\w.-]+", capsys.readouterr().out)}
    assert {word for span in spans(page) for word in re.findall(r"^--[\w.-]+", span)} <= known


def test_every_preset_is_explained() -> None:
    explained = spans(ROOT / "configs" / "README.md")
    assert not [name for name in names(PRESETS) if name not in explained]


def test_extras_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for page in PAGES:
        for extras in re.findall(r'"\.\[([\w,-]+)\]"', page.read_text(encoding="utf-8")):
            assert {*extras.split(",")} <= {*project["optional-dependencies"]}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        headings = re.findall(r"^#+ (.+)$", prose(target), re.MULTILINE) if anchor else []
        slugs = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
        assert not anchor or anchor in slugs, link


def test_readme_is_short_and_begins_with_two_commands() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES and len(text.encode()) <= MOST_BYTES
    assert "".join(blocks(PAGES[0], "sh")).splitlines()[:2] == FIRST_COMMANDS
