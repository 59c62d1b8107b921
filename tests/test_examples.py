"""The examples in docstrings, run as they stand, but without the progress that trainings print."""

import doctest
import inspect
from pathlib import Path
from typing import Any

import pytest

import sac

EXAMPLES = {
    example.name: example
    for name in sac.__all__
    for example in doctest.DocTestFinder(recurse=False).find(
        getattr(sac, name), name, inspect.getmodule(getattr(sac, name))
    )
    if example.examples
}


class NoDisplay:
    seconds = shows_per_run = rate_samples = 1

    def __getattr__(self, name: str) -> Any:
        return lambda *args: None


@pytest.mark.parametrize("name", EXAMPLES)
def test_example(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sac.terminal.progress._display_on", lambda stream: NoDisplay())
    assert doctest.DocTestRunner().run(EXAMPLES[name]).failed == 0


def test_public_names_have_examples() -> None:
    assert EXAMPLES.keys() >= {"Callback", "Config", "SACAgent", "Trainer", "train"}
