"""What counts as a bias of Q: not before it can be told, and not a bonus that targets lack."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import autograd as torch
from sac.agent.temperature import FixedTemperature, PartTemperatures
from sac.diagnosis import policy_checks
from sac.diagnosis.policy_checks import q_bias


def evidence(updates: int) -> Any:
    agent = SimpleNamespace(gamma=0.99, tau=0.005, entropy_in_target=True)
    return SimpleNamespace(
        config=SimpleNamespace(agent=agent),
        episodes=[1],
        agent=SimpleNamespace(
            updates=updates,
            critic=SimpleNamespace(
                optimizer=SimpleNamespace(state={0: {"step": np.array(updates)}})
            ),
            reward_factor=1.0,
            temperature=FixedTemperature(0.5, torch.device("cpu")),
        ),
        logged=lambda name: np.array([2.0]),
    )


@pytest.mark.parametrize(
    ("updates", "q_value", "state"),
    [
        (1_000, -90.0, "fine"),
        (1_000, -20.0, "early"),  # on its way from 0
        (100_000, -20.0, "ill"),
        (1_000, -900.0, "ill"),  # too much however early it is
    ],
)
def test_bias_is_told_once_q_has_settled(
    monkeypatch: pytest.MonkeyPatch, updates: int, q_value: float, state: str
) -> None:
    values = np.full(3, q_value), np.full(3, -100.0), np.ones(3)
    monkeypatch.setattr(policy_checks, "_values_and_returns", lambda evidence: values)
    monkeypatch.setattr(policy_checks, "_chance_size", lambda evidence: 0.0)
    assert q_bias(evidence(updates)).state == state


def test_words_say_what_is_in_the_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.full(3, -90.0), np.full(3, -100.0), np.array([1.0, 0.9, 1.0])
    monkeypatch.setattr(policy_checks, "_values_and_returns", lambda evidence: values)
    monkeypatch.setattr(policy_checks, "_chance_size", lambda evidence: 0.0)
    known = evidence(1_000)
    known.agent.reward_factor = 0.1
    assert "are -100 (with rewards times 0.1, +1 for entropy in later steps, Q itself after " in (
        q_bias(known).text
    )
    known.agent.reward_factor, known.config.agent.entropy_in_target = 1.0, False
    values[2][:] = 1.0
    assert "discounted returns are -100, by 3 evaluation episodes" in q_bias(known).text


@pytest.mark.parametrize(
    ("has_entropy", "n_step", "later_steps"),
    [(True, 1, [1, 2, 3, 4]), (True, 2, [2, 4]), (True, 5, []), (False, 1, [])],
)
def test_later_entropy_counts_where_targets_have_it(
    monkeypatch: pytest.MonkeyPatch, has_entropy: bool, n_step: int, later_steps: list[int]
) -> None:
    alpha, entropy, gamma, length = 0.5, 2.0, 0.9, 5
    episode = SimpleNamespace(
        observation=[0.0], last_observation=[0.0], action=[0.0], length=length, truncated=False,
        discounted_return=-10.0,
    )  # fmt: skip
    known: Any = SimpleNamespace(
        agent=SimpleNamespace(
            temperature=FixedTemperature(alpha, torch.device("cpu")),
            greedy=lambda observations: None,
            reward_factor=1.0,
        ),
        config=SimpleNamespace(
            agent=SimpleNamespace(gamma=gamma, entropy_in_target=has_entropy),
            train=SimpleNamespace(n_step=n_step),
        ),
        episodes=[episode],
        logged=lambda name: np.array([entropy]),
    )
    monkeypatch.setattr(policy_checks, "min_q", lambda *args: np.zeros(1))
    _, g, _ = policy_checks._values_and_returns(known)
    bonus = alpha * entropy * sum(gamma**k for k in later_steps)
    assert g.tolist() == [pytest.approx(-10.0 + bonus)]


def test_each_parts_entropy_counts_by_its_own_alpha() -> None:
    known = evidence(1_000)
    temperature = PartTemperatures(0.5, {"x": -1.0, "y": 1.0}, 1e-3, torch.device("cpu"))
    with torch.no_grad():
        temperature.log_alpha[0, 1] = np.log(0.1)
    known.agent.temperature = temperature
    entropies = {"train/entropy": 7.0, "train/entropy/x": -3.0, "train/entropy/y": 10.0}
    known.logged = lambda tag: np.array([0.0, entropies[tag]])
    assert policy_checks._entropy_bonus(known) == pytest.approx(0.5 * -3 + 0.1 * 10)
