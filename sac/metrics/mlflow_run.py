"""A run in MLflow, where the user's own MLFLOW_... variables say."""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from mlflow.entities import Metric, Param
from mlflow.tracking import MlflowClient

LONGEST = 6000  # letters of a parameter
MOST_PARAMETERS, MOST_METRICS = 100, 1000  # at once


class Run:
    """See `sac.metrics.trackers.TrackedRun`."""

    def __init__(self, parameters: Mapping[str, Any], name: str, identity: str | None) -> None:
        self._client = MlflowClient()
        if identity is None:
            self.identity = self._created(parameters, name)
        else:  # its parameters stay those of its beginning: MLflow lets none change
            self._client.update_run(identity, status="RUNNING")
            self.identity = identity
        self.place = f"run {self.identity} in {self._client.tracking_uri}"

    def _created(self, parameters: Mapping[str, Any], name: str) -> str:
        experiment_name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "sac")
        experiment = self._client.get_experiment_by_name(experiment_name)
        if experiment is None:
            experiment_id = self._client.create_experiment(experiment_name)
        else:
            experiment_id = experiment.experiment_id
        identity: str = self._client.create_run(experiment_id, run_name=name).info.run_id
        params = [Param(key, str(value)[:LONGEST]) for key, value in parameters.items()]
        for start in range(0, len(params), MOST_PARAMETERS):
            self._client.log_batch(identity, params=params[start : start + MOST_PARAMETERS])
        return identity

    def log(self, rows: Sequence[tuple[int, Mapping[str, float]]]) -> None:
        """Show numbers over their steps."""
        now = int(time.time() * 1000)
        metrics = [
            Metric(tag, number, now, step)
            for step, numbers in rows
            for tag, number in numbers.items()
        ]
        for start in range(0, len(metrics), MOST_METRICS):
            part = metrics[start : start + MOST_METRICS]
            self._client.log_batch(self.identity, metrics=part)

    def close(self, *, is_failed: bool) -> None:
        """Mark the run as ended."""
        self._client.set_terminated(self.identity, "FAILED" if is_failed else "FINISHED")
