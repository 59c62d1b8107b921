"""Every illness in a run that `train` made with it: found by the doctor, and live; and no other."""

from pathlib import Path
from typing import Any

import pytest

from sac.diagnosis import CHECKS
from sac.diagnosis.run import Report, diagnose
from sac.metrics.findings import read_findings
from tests.sac.diagnosis.patients import PARTS_PATIENT, SHORT, env, trained

# What is found, and what the text of it says; the changes of a healthy run that bring it about.
ILL: dict[str, tuple[dict[str, str], list[dict[str, Any]]]] = {
    "a policy that is worse than random actions": (
        {"learning": "where the first random actions got -0.2"},
        [
            env(best_at_bound=True),
            {"agent": {"soft_q_lr": 1e-6, "policy_lr": 1e-6}, "train": {"updates_per_step": 1}},
        ],
    ),
    "entropy stays below its target and alpha grows": (
        {"entropy": "for a target of 0.5", "alpha": "grows without end"},
        [{"agent": {"target_entropy": 0.5, "log_std_max": -2, "alpha_lr": 0.05}}],
    ),
    "entropy stays above its target and alpha shrinks": (
        {"entropy": "for a target of -8", "alpha": "shrinks without end"},
        [{"agent": {"target_entropy": -8, "alpha_lr": 0.05, "policy_lr": 1e-7}}],
    ),
    "saturated actions": (
        {"saturated actions": "of the policy's actions are within 1 % of their bounds"},
        [env(best_at_bound=True), {"agent": {"alpha": 1e-3, "policy_lr": 0.03}}],
    ),
    "Q lags behind": (
        {"Q bias": "a bias of -"},
        [{"agent": {"soft_q_lr": 1e-6, "tau": 1.0}}],
    ),
    "dead units": (
        {"dead units": "of the units of layer 1 of the"},
        [{"agent": {"soft_q_lr": 1.0, "policy_lr": 1.0}}],
    ),
    "gradients vanish where others explode, and Q blows up": (
        {
            "gradients": "explode and those of the policy vanish",
            "Q bias": "where discounted returns are",
        },
        [env(observation_factor=1e6), {"agent": {"alpha": 1e-30, "tau": 0.005}}],
    ),
    "observations of different scale": (
        {"observation scale": "e+04 in size, and feature 0 varies by 0."},
        [env(feature_factor=1e5)],
    ),
    "large rewards": (
        {"rewards": "Q values will be near"},
        [env(reward_factor=1e4)],
    ),
    "rare rewards": (
        {"rewards": "0.00% of the steps have another reward than 0"},
        [env(is_silent=True), {"train": {"total_steps": 1100, "updates_per_step": 0.1}}],
    ),
    "huge action bounds": (
        {"action bounds": "actions are as large as 1e+06"},
        [env(bound=1e6)],
    ),
    "ends that are truncations": (
        {"truncation": "10 of 10 evaluation episodes were truncated, after 6 different numbers"},
        [env(hides_ends=True)],
    ),
    "an environment that breaks its promises": (
        {"environment checker": "not within the observation space"},
        [env(leaves_space=True)],
    ),
    "few updates": (
        {"pace": "updates are few"},
        [{"train": {"updates_per_step": 0.05}}],
    ),
    "few environment steps": (
        {"pace": "environment steps are few"},
        [
            {"train": {"updates_per_step": 6, "batch_size": 1024, "total_steps": 130}},
            {"agent": {"hidden_sizes": [4]}},
        ],
    ),
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Report]:
    run = trained(tmp_path_factory.mktemp("healthy"))
    return run, diagnose(run)


@pytest.mark.parametrize("illness", ILL)
def test_illness_is_found_in_training_and_by_the_doctor(tmp_path: Path, illness: str) -> None:
    found, changes = ILL[illness]
    run = trained(tmp_path, SHORT, *changes)
    report = diagnose(run)
    live = {finding["check"]: finding for finding in read_findings(run)}
    for name, words in found.items():
        assert name in report.illnesses
        assert words in report.results[name].text
        assert len(report.results[name].remedy) > 20
        assert live[name]["remedy"] == report.results[name].remedy


class Clock:
    """Time that passes in `sleep` alone."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_slow_environment_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr("time.perf_counter", clock)
    monkeypatch.setattr("time.sleep", clock.sleep)
    run = trained(tmp_path, SHORT, env(seconds=0.02))
    result = diagnose(run).results["pace"]
    assert result.state == "ill"
    assert "100% of the time goes into environment steps of 20 ms each" in result.text
    assert [finding["check"] for finding in read_findings(run)] == ["pace"]


@pytest.mark.parametrize(
    ("target", "remedy"), [(0.5, "lower agent.target_entropy"), (-8, "raise agent.alpha_lr")]
)
def test_remedy_is_for_the_side_on_which_the_entropy_stays(
    tmp_path: Path, target: float, remedy: str
) -> None:
    agent = {"target_entropy": target, "log_std_max": -2, "alpha_lr": 0.05, "policy_lr": 1e-7}
    report = diagnose(trained(tmp_path, SHORT, {"agent": agent}), episodes=1)
    assert remedy in report.results["entropy"].remedy


def test_wide_bounds_are_found_by_trying_actions(tmp_path: Path) -> None:
    run = trained(tmp_path, SHORT, env(bound=1000))
    result = diagnose(run).results["action bounds"]
    assert result.state == "ill"
    assert "in dimension 0 the outcome depends on the action in only 0.16% of" in result.text


def test_an_environment_that_does_not_repeat_itself(tmp_path: Path) -> None:
    result = diagnose(trained(tmp_path, SHORT, env(is_restless=True))).results["repetition"]
    assert result.state == "ill"
    assert "two environments of one seed differ in step 1: neither a run nor" in result.text


@pytest.mark.parametrize("name", CHECKS)
def test_healthy_run_has_none_of_them(healthy: tuple[Path, Report], name: str) -> None:
    run, report = healthy
    assert report.results[name].state == "fine", report.results[name]
    assert any(character.isdigit() for character in report.results[name].text) or "check" in name
    assert not read_findings(run)


def test_healthy_run_of_discrete_actions(tmp_path: Path) -> None:
    run = trained(tmp_path, SHORT, {"env": {"id": "CartPole-v1"}, "agent": {"alpha_lr": 0.05}})
    report = diagnose(run)
    assert not report.illnesses and not read_findings(run)
    unknown = {name for name, result in report.results.items() if result.state == "unknown"}
    assert unknown == {"saturated actions", "action bounds"}


def test_actions_of_several_parts_are_judged_by_their_continuous_ones(tmp_path: Path) -> None:
    changes = {"env": {"id": PARTS_PATIENT}, "agent": {"alpha_per_part": True}}
    report = diagnose(trained(tmp_path, changes, SHORT))
    assert not report.note  # the environment was played in
    share, _, _ = report.results["saturated actions"].text.partition("%")
    assert int(share) < 40  # of all columns most are 1 or 2
    assert report.results["action bounds"].state == "fine", report.results


def test_before_much_is_learned_it_is_too_early_to_tell(tmp_path: Path) -> None:
    begun = {"train": {"total_steps": 110}, "agent": {"policy_lr": 1e-6}}
    run = trained(tmp_path, env(best_at_bound=True), begun)
    report = diagnose(run)
    assert not report.illnesses and not read_findings(run)
    early = {name for name, result in report.results.items() if result.state == "early"}
    assert early >= {"learning", "entropy", "alpha"}
    assert report.results["learning"].text.endswith(", after 4 updates")


@pytest.mark.parametrize(
    "changes",
    [
        {"agent": {"policy_delay": 4}, "train": {"total_steps": 104}},
        {"agent": {"policy_delay": 4}, "train": {"total_steps": 204, "reset_at": [200]}},
        {"agent": {"tau": 1.0, "gamma": 0.9}, "train": {"total_steps": 205, "reset_at": [200]}},
    ],
    ids=["before the policy's first step", "before its first after a reset", "after a reset"],
)
def test_networks_that_began_anew_are_judged_as_new_ones(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    run = trained(tmp_path, changes, {"evaluation": {"every_steps": 1000}})
    report = diagnose(run)
    assert not {"gradients", "Q bias"} & set(report.illnesses), report.results
    assert report.results["Q bias"].state in ("early", "unknown")


def test_before_the_first_update_nothing_is_wrong(tmp_path: Path) -> None:
    begun = {"train": {"total_steps": 41, "learning_starts": 40}}
    run = trained(tmp_path, begun, {"checkpoint": {"every_steps": 40}})
    for step in ("40", "0"):
        assert not diagnose(run, checkpoint=step).illnesses
    assert not read_findings(run)


def test_a_run_that_ends_before_the_first_update_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp_path, {"train": {"total_steps": 40, "learning_starts": 40}})
    note = "nothing is learned: the first update comes after train.learning_starts (40), and"
    assert note in capsys.readouterr().out
    report = diagnose(run)
    assert report.illnesses == ["learning"]
    assert "train.learning_starts (40) is not below train.total_steps" in (
        report.results["learning"].text
    )
    assert [row["check"] for row in read_findings(run)] == ["learning"]
