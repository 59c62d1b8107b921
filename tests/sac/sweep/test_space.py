"""Search spaces: what they offer Optuna, and what is refused before anything starts."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sac.config import Config
from sac.config.keys import nested
from sac.config.shipped import SPACES, names
from sac.errors import ConfigError
from sac.sweep.space import Space

CONFIG = Config.from_dict({"env": {"id": "Pendulum-v1"}})


class Asked:
    """A trial that answers with the last of what it is offered, and remembers the rest."""

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers, self.asked = answers or {}, dict[str, Any]()

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.asked[name] = (low, high, log)
        return self.answers.get(name, high)

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        self.asked[name] = (low, high, log)
        return self.answers.get(name, high)

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.asked[name] = list(choices)
        return choices[self.answers.get(name, -1)]


def test_each_kind_is_asked_for_as_it_is() -> None:
    space = Space(
        {
            "agent.policy_lr": {"log": [1e-4, 3e-3]},
            "agent.soft_q_lr": {"same": "agent.policy_lr"},
            "agent.tau": {"uniform": [0.001, 0.02]},
            "train.n_step": {"int": [1, 5]},
            "train.batch_size": {"log_int": [64, 1024]},
            "agent.hidden_sizes": [[32], [64, 64]],
            "agent.critic": ["sac", "tqc"],
            "env.kwargs.g": [9.8, 10],
        },
        CONFIG,
    )
    trial = Asked()
    values = space.suggest(trial)
    assert trial.asked == {
        "agent.policy_lr": (1e-4, 3e-3, True),
        "agent.tau": (0.001, 0.02, False),
        "train.n_step": (1, 5, False),
        "train.batch_size": (64, 1024, True),
        "agent.hidden_sizes": ["[32]", "[64, 64]"],
        "agent.critic": ['"sac"', '"tqc"'],
        "env.kwargs.g": ["9.8", "10"],
    }
    assert values["agent.soft_q_lr"] == values["agent.policy_lr"] == 3e-3
    config = CONFIG.merged(nested(values))
    assert list(config.agent.hidden_sizes) == [64, 64]
    assert (config.agent.critic, config.train.batch_size) == ("tqc", 1024)
    assert config.env.kwargs == {"g": 10}


@pytest.mark.parametrize(("critic", "is_asked"), [(0, False), (1, True)])
def test_a_condition_holds_or_not(critic: int, is_asked: bool) -> None:
    document = {
        "agent.critic": ["sac", "tqc"],
        "agent.num_quantiles": {"int": [10, 50], "if": {"agent.critic": ["tqc", "categorical"]}},
    }
    trial = Asked({"agent.critic": critic})
    values = Space(document, CONFIG).suggest(trial)
    assert ("agent.num_quantiles" in values) == is_asked == ("agent.num_quantiles" in trial.asked)


def test_a_condition_may_be_about_the_configuration() -> None:
    conditional = {"agent.tau": {"uniform": [0.1, 0.2], "if": {"env.id": "Pendulum-v1"}}}
    document = {"agent.gamma": {"uniform": [0.9, 0.95]}, **conditional}
    assert Space(document, CONFIG).suggest(Asked()) == {"agent.gamma": 0.95, "agent.tau": 0.2}
    other = CONFIG.merged({"env": {"id": "CartPole-v1"}})
    assert Space(document, other).suggest(Asked()) == {"agent.gamma": 0.95}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "the space is empty"),
        ({"agent.policy_lrr": [1, 2]}, "got agent.policy_lrr; the nearest is agent.policy_lr"),
        ({"seed": [1, 2]}, "got seed; --seeds_per_trial"),
        ({"agent.tau": 0.1}, "agent.tau: expected a list of choices, or a mapping with one of"),
        ({"agent.tau": {"lin": [0, 1]}}, "uniform, int, log_int, choices, same, and perhaps if"),
        ({"agent.tau": {"log": [0.1, 0.2], "int": [1, 2]}}, "agent.tau: expected"),
        ({"agent.tau": [0.1]}, "agent.tau: expected two choices at least"),
        ({"agent.tau": {"log": [0, 0.1]}}, "agent.tau: log: expected above 0, the lower first"),
        ({"agent.tau": {"uniform": [0.2, 0.1]}}, "expected the lower first, got [0.2, 0.1]"),
        ({"train.n_step": {"int": [1, 2.5]}}, "train.n_step: int: expected two whole numbers"),
        ({"agent.tau": {"uniform": [0.5, 2]}}, "agent.tau, at 2: agent.tau"),
        ({"agent.critic": ["sac", "tcq"]}, 'agent.critic, at "tcq": '),
        ({"agent.tau": {"same": "agent.gamma"}}, "expected a key above it (there is none)"),
        ({"agent.tau": {"uniform": [0.1, 0.2], "if": {"agent.citric": 1}}}, "agent.tau, if: "),
        ({"agent.tau": {"uniform": [0.1, 0.2], "if": {"agent.critic": []}}}, "expected a value or"),
        (
            {
                "agent.tau": {"uniform": [0.1, 0.2], "if": {"agent.critic": "tqc"}},
                "agent.critic": ["sac", "tqc"],
            },
            "agent.tau, if: expected a key above it, got agent.critic",
        ),
        ({"env.kwargs.g": {"uniform": [1, float("inf")]}}, "env.kwargs.g: uniform: expected two f"),
        (
            {"agent.num_quantiles": {"int": [10, 50], "if": {"agent.critic": "tqc"}}},
            "no key would vary: expected one whose if holds, got a configuration with agent.critic "
            '"sac"; change it',
        ),
        (
            {
                "agent.num_quantiles": {"int": [10, 50], "if": {"agent.critic": "tqc"}},
                "agent.drop_quantiles": {"int": [0, 5], "if": {"agent.num_quantiles": 10}},
            },
            'agent.critic "sac", agent.num_quantiles 25; change it',
        ),
        (
            {"train.batch_size": {"log": [64, 1024]}},
            "train.batch_size: expected log_int, as it takes whole numbers alone, got log",
        ),
        ({"train.n_step": {"uniform": [1, 5.5]}}, "train.n_step: expected int, as it takes"),
        ({"agent.min_over": {"uniform": [1, 2]}}, "agent.min_over: expected int, as it takes"),
        (
            {"agent.alpha": {"log": [1, 9]}, "train.n_step": {"same": "agent.alpha"}},
            "train.n_step: expected log_int, as it takes whole numbers alone, got log of "
            "agent.alpha, which train.n_step is the same as",
        ),
        (
            {
                "agent.critic": ["sac", "tqc"],
                "name": {"same": "agent.critic"},
                "agent.activation": {"same": "name"},
            },
            'agent.activation, at "sac": agent.activation: expected one of relu',
        ),
        ({"env.kwargs.day": [date(2026, 1, 1), 1]}, "env.kwargs.day: Object of type date is not"),
    ],
)
def test_refusals_name_key_expected_and_got(document: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Space(document, CONFIG)
    assert words in str(caught.value)


def test_the_same_may_be_of_another_kind_of_key_that_takes_it() -> None:
    document = {
        "train.n_step": {"int": [1, 5]},
        "agent.alpha": {"same": "train.n_step"},
        "agent.max_grad_norm": {"same": "agent.alpha"},
        "env.kwargs.size": {"uniform": [1, 2]},
    }
    values = Space(document, CONFIG).suggest(Asked())
    assert CONFIG.merged(nested(values)).agent.max_grad_norm == 5


@pytest.mark.parametrize("name", names(SPACES))
def test_shipped_spaces_fit_their_configurations(name: str) -> None:
    config = Config.load(name)
    config.merged(nested(Space.load(SPACES / f"{name}.yaml", config).suggest(Asked())))


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text("agent.tua: [1, 2]")
    with pytest.raises(ConfigError, match=r"--space .*space.yaml: expected a key"):
        Space.load(tmp_path / "space.yaml", CONFIG)
