"""A run in Weights & Biases, where the user's own WANDB_... variables say."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import wandb

STEP = "step"


class Run:
    """See `sac.metrics.trackers.TrackedRun`."""

    def __init__(self, parameters: Mapping[str, Any], name: str, identity: str | None) -> None:
        # In a terminal, `init` would ask for a key, in the middle of the training's output.
        is_online = wandb.setup().settings.mode not in ("offline", "disabled", "dryrun")
        if is_online and not wandb.login(prompt=False, verify=False):
            raise RuntimeError("no API key: `wandb login` saves one, WANDB_MODE=offline needs none")
        self._run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "sac"),
            name=name,
            id=identity,
            resume="allow",
            reinit="create_new",  # the user's code may have a run of its own
            config=dict(parameters),
            settings=wandb.Settings(console="off", silent=True),
        )
        self.identity = self._run.id
        self.place = self._run.url if is_online else f"offline, in {self._run.dir}"
        # wandb's own steps never go back, as those of a resumed run do: it would drop the numbers.
        self._run.define_metric(STEP, hidden=True)
        self._run.define_metric("*", step_metric=STEP)

    def log(self, rows: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Show numbers over their steps."""
        for step, numbers in rows:
            self._run.log({**numbers, STEP: step})

    def close(self, *, is_failed: bool) -> None:
        """Send what is left, and mark the run as ended."""
        self._run.finish(exit_code=int(is_failed))
