"""The snippets of `errors.txt`, which torch refuses, and how they are run."""

import ast
import builtins
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class ErrorCase:
    """Statements of which the last raises `kind`, with a message that holds `text`."""

    snippet: str
    kind: type[Exception]
    text: str

    def __str__(self) -> str:
        return self.snippet.replace("\n", "; ")


def read_errors(path: Path) -> Iterator[ErrorCase]:
    """Parse headings `Class: text`, each followed by indented snippets that blank lines part."""
    for paragraph in path.read_text(encoding="utf-8").split("\n\n"):
        heading, _, snippet = paragraph.strip("\n").partition("\n")
        if heading.startswith("#"):
            continue
        if heading.startswith(" "):
            snippet = paragraph.strip("\n")
        else:
            name, _, text = heading.partition(":")
        yield ErrorCase(textwrap.dedent(snippet), getattr(builtins, name), text.strip())


ERRORS = list(read_errors(Path(__file__).with_name("errors.txt")))


def assert_raises(torch: Any, error: ErrorCase) -> None:
    """Run a snippet: all but its last statement must pass, the last must raise."""
    nn = torch.nn
    scope = {"torch": torch, "nn": nn, "F": nn.functional, "optim": torch.optim}
    statements = ast.parse(error.snippet).body
    setup, last = (ast.Module(part, []) for part in (statements[:-1], statements[-1:]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(setup, "<setup>", "exec"), scope)
        with pytest.raises(error.kind) as caught:
            exec(compile(last, "<last statement>", "exec"), scope)
    assert error.text in str(caught.value)
