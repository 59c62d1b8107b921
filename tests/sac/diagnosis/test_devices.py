"""The checks look into an agent on a GPU as into one on the CPU."""

from pathlib import Path

import pytest

from sac.diagnosis import CHECKS
from sac.diagnosis.run import diagnose
from sac.metrics.findings import read_findings
from tests.on_devices import GPU, STANDIN
from tests.sac.diagnosis.patients import SHORT, env, trained

SMALL = {"agent": {"hidden_sizes": [8]}, "train": {"total_steps": 130}}


@pytest.mark.parametrize("device", [STANDIN, GPU], indirect=True)
def test_run_on_a_gpu(tmp_path: Path, device: str) -> None:
    run = trained(tmp_path, SHORT, SMALL, env(reward_factor=1e4), {"device": device})
    assert "rewards" in {finding["check"] for finding in read_findings(run)}
    assert "doctor" not in {finding["check"] for finding in read_findings(run)}
    reports = [diagnose(run, device=name, episodes=2) for name in (device, "cpu")]
    for name in CHECKS:
        states = [report.results[name].state for report in reports]
        assert states[0] == states[1], name
    assert "rewards" in reports[0].illnesses
