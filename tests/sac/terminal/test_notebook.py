"""Training in a notebook's kernel: a bar that is drawn over, and an interrupt that saves."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sac.terminal.progress import Progress
from tests.sac.tiny_runs import checkpoint_steps, tiny_config

SECONDS = 120  # no test waits this long unless something is broken


def test_bar_is_drawn_once_and_then_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn: list[Any] = []
    handle = SimpleNamespace(update=lambda picture, raw: drawn.append(picture))

    def display(picture: Any, *, raw: bool, display_id: bool) -> Any:
        assert raw and display_id and not drawn
        drawn.append(picture)
        return handle

    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=display))
    with Progress(100) as progress:
        for step in range(1, 101):
            progress.update(step, lambda: {"note<b>": 1.0})
            if step == 50:
                progress.message("evaluation: -150")
    assert len(drawn) >= 20
    assert '<progress value="100" max="100">' in drawn[-1]["text/html"]
    assert "note&lt;b&gt;" in drawn[-1]["text/html"]
    assert drawn[-1]["text/plain"].startswith("step 100/100 (100 %)")
    assert capsys.readouterr().out == "evaluation: -150\n"


class Kernel:
    """A kernel, and what its cells print and draw."""

    def __init__(self) -> None:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(startup_timeout=SECONDS)
        self.texts: list[str] = []

    def start(self, code: str) -> None:
        self.client.execute(code)

    def read_until(self, is_seen: Callable[[dict[str, Any]], object]) -> None:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            message = self.client.get_iopub_msg(timeout=SECONDS)
            content = message["content"]
            shown = content.get("text") or content.get("data", {}).get("text/html")
            self.texts.append(shown or "\n".join(content.get("traceback", [])))
            if is_seen(message):
                return
        raise TimeoutError("".join(self.texts))

    def finish(self) -> str:
        """Read until the cell has ended, and return all that it showed."""
        self.read_until(lambda message: message["content"].get("execution_state") == "idle")
        return "".join(self.texts)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kernel]:
    pytest.importorskip("ipykernel", reason="a notebook's kernel, of the extra test-extras")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    kernel = Kernel()
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.mark.extras
# pyzmq's own, of a loop's sockets
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_interrupt_of_the_kernel_saves_and_says_how_to_go_on(
    tmp_path: Path, kernel: Kernel
) -> None:
    config = tiny_config(tmp_path, {"train": {"total_steps": 1_000_000}})
    kernel.start(f"from sac import Config, train\nconfig = Config.from_dict({config.to_dict()})")
    kernel.finish()
    kernel.start("result = train(config)")
    kernel.read_until(lambda message: "evaluation at step 30" in kernel.texts[-1])
    kernel.read_until(lambda message: message["msg_type"] == "update_display_data")
    assert "<progress " in kernel.texts[-1]
    kernel.manager.interrupt_kernel()
    text = kernel.finish()
    (run,) = tmp_path.iterdir()
    step = checkpoint_steps(run)[-1]
    assert f"stopped at step {step:,} (SIGINT) and saved: resume {run} to go on" in text
    assert "Traceback" not in text and "KeyboardInterrupt" not in text
    kernel.start(
        f"more = {{'train': {{'total_steps': {step + 10}}}}}\n"
        "print('went on to', train(resume=result.run_directory, overrides=more).step)"
    )
    assert f"went on to {step + 10}" in kernel.finish()
