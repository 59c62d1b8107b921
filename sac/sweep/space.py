"""The search space of a sweep: which keys vary, over what, and under which conditions.

A YAML mapping from dotted keys of the configuration to what they may be:

    agent.policy_lr: {log: [1e-4, 3e-3]}          # a number, uniform in its logarithm
    agent.soft_q_lr: {same: agent.policy_lr}      # what another key is
    agent.tau: {uniform: [0.001, 0.02]}
    train.n_step: {int: [1, 5]}                   # both ends included
    train.batch_size: {log_int: [64, 1024]}
    agent.hidden_sizes: [[64, 64], [256, 256]]    # one of these
    agent.num_quantiles: {int: [10, 50], if: {agent.critic: tqc}}

`if` names keys above it, or of the configuration, and the values, or lists of values, that they
must have; a key whose condition does not hold stays as the configuration has it.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, get_args

from sac.agent.variants import critic_class
from sac.config import Config
from sac.config.keys import list_keys, nearest, nested, value_at
from sac.config.yaml_text import read_yaml_mapping
from sac.errors import ConfigError

KINDS = ("log", "uniform", "int", "log_int", "choices", "same")
WHOLE = {"log": "log_int", "uniform": "int"}  # what real numbers are of whole ones
GRAMMAR = "a list of choices, or a mapping with one of " + ", ".join(KINDS) + ", and perhaps if"


class Sampler(Protocol):
    """What Optuna's trials offer."""

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a number."""
        ...

    def suggest_int(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Return a whole number."""
        ...

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        """Return a choice."""
        ...


@dataclass(frozen=True)
class Dimension:
    """A key that varies."""

    key: str
    kind: str
    values: Any  # (lowest, highest), the choices, or another key
    conditions: Mapping[str, Any]  # what keys must be; a list: one of these

    def suggest(self, trial: Sampler, chosen: Mapping[str, Any], config: Config) -> Any:
        """Return a value; `chosen`: those of the keys before."""
        match self.kind:
            case "log" | "uniform":
                return trial.suggest_float(self.key, *self.values, log=self.kind == "log")
            case "int" | "log_int":
                return trial.suggest_int(self.key, *self.values, log=self.kind == "log_int")
            case "choices":
                # Optuna's choices are scalars: lists are written down.
                texts = [json.dumps(value) for value in self.values]
                return json.loads(trial.suggest_categorical(self.key, texts))
        return chosen.get(self.values, value_at(config.to_dict(), self.values))

    def applies(self, chosen: Mapping[str, Any], config: Config) -> bool:
        """Return whether the condition holds."""
        tree = config.to_dict()
        for key, wanted in self.conditions.items():
            value = chosen.get(key, value_at(tree, key))
            if value != wanted and not (isinstance(wanted, list) and value in wanted):
                return False
        return True


class Space:
    """The dimensions of a search, in the order of the file."""

    def __init__(self, document: Mapping[str, Any], config: Config) -> None:
        """Check all of it against `config`; ConfigError with the key, what was expected, and got.

        Each end of a range and each choice must be a value that the configuration takes alone, or
        beside the conditions; also those of a key that another is the same as.
        """
        if not document:
            raise ConfigError(f"the space is empty: expected keys with {GRAMMAR}")
        self.document, self.config = dict(document), config
        self.dimensions: list[Dimension] = []
        for key, given in document.items():
            above = [known.key for known in self.dimensions]
            dimension = _dimension(key, given, above)
            for other in dimension.conditions:
                if other in document and other not in above:
                    raise ConfigError(
                        f"{key}, if: expected a key above it, got {other}: move it up"
                    )
            self._check_values(dimension)
            self.dimensions.append(dimension)
        self._check_that_one_varies()

    @classmethod
    def load(cls, path: Path, config: Config) -> "Space":
        """Return the space of a YAML file."""
        try:
            return cls(read_yaml_mapping(path), config)
        except ConfigError as error:
            raise ConfigError(f"--space {path}: {error}") from error

    def check_options(self, overrides: Mapping[str, Any]) -> None:
        """Raise ConfigError for a key that an option fixes, and that is chosen every time."""
        for key in [each.key for each in self.dimensions if not each.conditions]:
            section, _, name = key.rpartition(".")
            if name in ((value_at(overrides, section) if section else overrides) or {}):
                raise ConfigError(
                    f"--{key}: the space chooses it for each trial: leave out the option, or take "
                    "the key out of the space"
                )

    def suggest(self, trial: Sampler) -> dict[str, Any]:
        """Return a value for every key whose condition holds, by dotted keys."""
        chosen: dict[str, Any] = {}
        for dimension in self.dimensions:
            if dimension.applies(chosen, self.config):
                chosen[dimension.key] = dimension.suggest(trial, chosen, self.config)
        return chosen

    def _check_that_one_varies(self) -> None:
        # Until a condition holds in the configuration itself, no key above can make another hold.
        if any(each.kind != "same" and each.applies({}, self.config) for each in self.dimensions):
            return
        tree = self.config.to_dict()
        fixed = {key: value_at(tree, key) for each in self.dimensions for key in each.conditions}
        values = ", ".join(f"{key} {json.dumps(value)}" for key, value in fixed.items())
        raise ConfigError(
            f"no key would vary: expected one whose if holds, got a configuration with {values}; "
            "change it, or let the space choose such a key, above those that need it"
        )

    def _check_values(self, dimension: Dimension) -> None:
        key, source = dimension.key, self._source(dimension)
        if source.kind in WHOLE and _is_whole(key):
            where = f"of {source.key}, which {key} is the same as" if source != dimension else ""
            raise ConfigError(
                f"{key}: expected {WHOLE[source.kind]}, as it takes whole numbers alone, got "
                f"{source.kind} {where}".rstrip()
            )
        beside = {
            other: wanted[0] if isinstance(wanted, list) else wanted
            for other, wanted in {**source.conditions, **dimension.conditions}.items()
        }
        for value in source.values:
            try:
                config = self.config.merged(nested({**beside, source.key: value, key: value}))
                critic_class(config.agent)
            except ConfigError as error:
                raise ConfigError(f"{key}, at {json.dumps(value)}: {error}") from error

    def _source(self, dimension: Dimension) -> Dimension:
        """Return the dimension whose values this one takes: itself, or that it is the same as."""
        known = {each.key: each for each in self.dimensions}
        while dimension.kind == "same":
            dimension = known[dimension.values]
        return dimension


def _dimension(key: Any, given: Any, above: list[str]) -> Dimension:
    _check_key(key, "")
    document = {"choices": given} if isinstance(given, list) else given
    if not isinstance(document, Mapping):
        raise ConfigError(f"{key}: expected {GRAMMAR}, got {given!r:.100}")
    kinds = [name for name in document if name != "if"]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        raise ConfigError(f"{key}: expected {GRAMMAR}, got {', '.join(map(str, document))}")
    (kind,), conditions = kinds, document.get("if", {})
    if not isinstance(conditions, Mapping):
        raise ConfigError(f"{key}: expected keys with values below if, got {conditions!r:.100}")
    for other, wanted in conditions.items():
        _check_key(other, f"{key}, if: ")
        if wanted == []:
            raise ConfigError(f"{key}, if: {other}: expected a value or a list of some, got []")
    values = _values(key, kind, document[kind])
    if kind == "same" and values not in above:
        raise ConfigError(
            f"{key}: same: expected a key above it ({', '.join(above) or 'there is none'}), got "
            f"{values}"
        )
    return Dimension(key, kind, values, dict(conditions))


def _check_key(key: Any, where: str) -> None:
    known = [known_key.name for known_key in list_keys(Config)]
    is_free = isinstance(key, str) and key.startswith("env.kwargs.")
    if key == "seed" or (not is_free and key not in known):
        cure = "--seeds_per_trial says how many" if key == "seed" else ""
        cure = cure or f"the nearest is {nearest(str(key), known)}"
        raise ConfigError(f"{where}expected a key of the configuration, got {key}; {cure}")


def _is_whole(key: str) -> bool:
    """Return whether a key of the configuration takes whole numbers, and no others."""
    hint = next((known.hint for known in list_keys(Config) if known.name == key), None)
    return int in (hint, *get_args(hint))


def _values(key: str, kind: str, values: Any) -> Any:
    if kind == "same":
        if not isinstance(values, str):
            raise ConfigError(f"{key}: same: expected a key, got {values!r:.100}")
        return values
    if kind == "choices":
        if not isinstance(values, list) or len(values) < 2:
            raise ConfigError(f"{key}: expected two choices at least, got {values!r:.100}")
        try:
            json.dumps(values)
        except TypeError as error:  # a date, which YAML makes of 2026-01-31
            raise ConfigError(f"{key}: {error}: write it in quotes") from error
        return values
    numbers = (int,) if kind.endswith("int") else (int, float)
    is_pair = isinstance(values, list) and len(values) == 2
    if not is_pair or any(isinstance(v, bool) or not isinstance(v, numbers) for v in values):
        what = "two whole numbers" if kind.endswith("int") else "two numbers"
        raise ConfigError(f"{key}: {kind}: expected {what}, got {values!r:.100}")
    low, high = values
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ConfigError(f"{key}: {kind}: expected two finite numbers, got {values}")
    if not low < high or (kind.startswith("log") and low <= 0):
        positive = "above 0, " if kind.startswith("log") else ""
        raise ConfigError(f"{key}: {kind}: expected {positive}the lower first, got {values}")
    return tuple(values)
