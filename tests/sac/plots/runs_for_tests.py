"""Run directories with chosen numbers, as a training would have left them."""

from collections.abc import Sequence
from pathlib import Path

METRIC = "eval/mean_return"


def write_run(
    root: Path,
    name: str = "run",
    *,
    env: str = "CartPole-v1",
    seed: int = 0,
    steps: Sequence[int] = (10, 20, 30),
    values: Sequence[object] = (1.0, 2.0, 3.0),
    more: str = "",
) -> Path:
    run = root / name
    run.mkdir(parents=True)
    (run / "config.yaml").write_text(f"env: {{id: {env}}}\nseed: {seed}\n{more}\n", "utf-8")
    rows = [f"{step},{value},0.5" for step, value in zip(steps, values, strict=True)]
    text = "\n".join([f"step,{METRIC},train/alpha", *rows]) + "\n"
    (run / "metrics.csv").write_text(text, "utf-8")
    return run
