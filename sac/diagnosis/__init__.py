"""What ails a run: one small check for each illness, live in training and by the doctor command."""

from collections.abc import Callable

from sac.diagnosis.data_checks import (
    action_bounds,
    environment_checker,
    observation_scale,
    pace,
    rewards,
    truncation,
)
from sac.diagnosis.evidence import Evidence, Result, draw
from sac.diagnosis.network_checks import dead_units, gradients
from sac.diagnosis.policy_checks import alpha, entropy, q_bias, saturated_actions

__all__ = ["CHECKS", "Evidence", "Result", "draw", "examine"]

CHECKS: dict[str, Callable[[Evidence], Result]] = {
    "entropy": entropy,
    "alpha": alpha,
    "saturated actions": saturated_actions,
    "Q bias": q_bias,
    "dead units": dead_units,
    "gradients": gradients,
    "observation scale": observation_scale,
    "rewards": rewards,
    "action bounds": action_bounds,
    "truncation": truncation,
    "environment checker": environment_checker,
    "pace": pace,
}


def examine(evidence: Evidence) -> dict[str, Result]:
    """Return what every check says."""
    return {name: check(evidence) for name, check in CHECKS.items()}
