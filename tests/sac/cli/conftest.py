"""Stand-ins for what the commands call, so that these tests are about the command line alone."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from sac.errors import CheckpointError
from sac.evaluation.published import Published
from sac.evaluation.result import EvaluationResult


class Recorder:
    """A function that remembers how it was called."""

    def __init__(self, result: Any = None, error: BaseException | None = None) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
        self.result = result
        self.error = error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.calls.append((args, kwargs))
        print("an environment says hello")
        if self.error is not None:
            raise self.error
        return self.result


RESULT = EvaluationResult(
    returns=[-160.0, -140.0, -90.0],
    lengths=[200, 200, 77],
    env="Pen[bold]dulum-v1",
    run="runs/x[bold]",
    checkpoint_step=10000,
    published=Published(-157.0, "somebody"),
)


def install(monkeypatch: pytest.MonkeyPatch, module: str, name: str, recorder: Recorder) -> None:
    fake = ModuleType(module)
    setattr(fake, name, recorder)
    monkeypatch.setitem(sys.modules, module, fake)


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(
        result=SimpleNamespace(
            interrupted_by=None,
            run_directory=Path("runs/x"),
            step=1,
            total_steps=2,
            evaluation=None,
            stopped=None,
            best_return=None,
        )
    )
    install(monkeypatch, "sac.training.train", "train", recorder)
    return recorder


@pytest.fixture
def evaluate(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(result=RESULT)
    install(monkeypatch, "sac.evaluation.evaluate", "evaluate", recorder)
    return recorder


@pytest.fixture
def damaged_evaluate(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder(error=CheckpointError("policy.safetensors is damaged"))
    install(monkeypatch, "sac.evaluation.evaluate", "evaluate", recorder)
    return recorder
