"""Diagnosis of a run: a small check for each illness, for trainings and the doctor command."""

from collections.abc import Callable

from sac.diagnosis import data_checks, network_checks, policy_checks
from sac.diagnosis.evidence import Evidence, Result, draw

__all__ = ["CHECKS", "Evidence", "Result", "draw", "examine"]

CHECKS: dict[str, Callable[[Evidence], Result]] = {
    "learning": policy_checks.learning,
    "entropy": policy_checks.entropy,
    "alpha": policy_checks.alpha,
    "saturated actions": policy_checks.saturated_actions,
    "Q bias": policy_checks.q_bias,
    "dead units": network_checks.dead_units,
    "gradients": network_checks.gradients,
    "observation scale": data_checks.observation_scale,
    "rewards": data_checks.rewards,
    "action bounds": data_checks.action_bounds,
    "truncation": data_checks.truncation,
    "time limit": data_checks.time_limit,
    "environment checker": data_checks.environment_checker,
    "repetition": data_checks.repetition,
    "pace": data_checks.pace,
}


def examine(evidence: Evidence) -> dict[str, Result]:
    """Return the result of every check."""
    return {name: check(evidence) for name, check in CHECKS.items()}
