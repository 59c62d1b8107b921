"""The keys, their ranges, how they fit together, and the way from a Config to YAML and back."""

import dataclasses
import math
import pydoc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sac.config import AgentConfig, Config, EnvConfig, TrainConfig, WrapperConfig
from sac.config.fields import expected
from sac.config.keys import Key, list_keys
from sac.errors import ConfigError

KEYS = {key.name: key for key in list_keys(Config)}
NUMBER_KEYS = [
    name
    for name, key in KEYS.items()
    if "number" in expected(key.hint, key.option)
    and not name.startswith(("env.kwargs", "agent.hidden_sizes", "agent.critic_hidden_sizes"))
    and name not in ("agent.adam_betas", "train.reset_at")
]


def test_help_is_readable() -> None:
    """`help` shows plain types, and what each key means."""
    for section in (Config, AgentConfig, EnvConfig, TrainConfig, WrapperConfig):
        text = pydoc.plain(pydoc.render_doc(section))
        assert "Option(" not in text.replace("__annotations__", "\0").split("\0")[0]
    text = pydoc.plain(pydoc.render_doc(AgentConfig))
    assert "AgentConfig(gamma: float = 0.99, tau: float = 0.005, " in text
    assert f"gamma: {KEYS['agent.gamma'].option.help}" in text


def nested(dotted: str, value: Any) -> dict[str, Any]:
    first, dot, rest = dotted.partition(".")
    return {first: nested(rest, value) if dot else value}


def refusal(data: Mapping[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        Config.from_dict(data)
    message = str(caught.value)
    assert "\n" not in message
    return message


# Key, a value out of range, how the message shows it, and the range that it names.
OUT_OF_RANGE = [
    ("agent.gamma", 1.5, "1.5", "from 0 to 1"),
    ("agent.gamma", -0.1, "-0.1", "from 0 to 1"),
    ("agent.tau", -1, "-1", "above 0 and at most 1"),
    ("agent.tau", 0, "0", "above 0 and at most 1"),
    ("agent.policy_lr", 0, "0", "above 0 and at most 1"),
    ("agent.soft_q_lr", -1e-3, "-0.001", "above 0 and at most 1"),
    ("agent.alpha_lr", 2, "2", "above 0 and at most 1"),
    ("agent.alpha", 0, "0", "auto or a number above 0"),
    ("agent.alpha", "off", "'off'", "auto or a number above 0"),
    ("agent.initial_alpha", 0.0, "0.0", "above 0"),
    ("agent.target_entropy", "low", "'low'", "auto or a number"),
    ("agent.num_soft_q_nets", 0, "0", "from 1 to 100"),
    ("agent.hidden_sizes", [64, 0], "[64, 0]", "from 1 to 65536"),
    ("agent.activation", "swish", "'swish'", "relu, tanh, elu, gelu, silu, leaky_relu"),
    ("agent.max_grad_norm", 0, "0", "above 0 or null"),
    ("agent.log_std_max", 11, "11", "from -100 to 10"),
    ("agent.reward_scale", 0, "0", "above 0"),
    ("train.total_steps", 0, "0", "from 1 to 1e12"),
    ("train.total_steps", 1e13, "10000000000000.0", "from 1 to 1e12"),
    ("train.learning_starts", -1, "-1", "from 0 to 1e12"),
    ("train.batch_size", 0, "0", "from 1 to 1e7"),
    ("train.buffer_size", 0, "0", "from 1 to 1073741824"),
    ("train.updates_per_step", 0, "0", "above 0 and at most 1000"),
    ("env.num_envs", 0, "0", "from 1 to 10000"),
    ("env.vectorization", "threads", "'threads'", "sync, async, native"),
    ("env.step_timeout", 0, "0", "above 0 or null"),
    ("evaluation.every_steps", -1, "-1", "from 0 to 1e12"),
    ("evaluation.episodes", 0, "0", "from 1 to 1e6"),
    ("checkpoint.every_steps", 0, "0", "from 1 to 1e12"),
    ("checkpoint.keep", 0, "0", "from 1 to 1e12"),
    ("logging.every_steps", 0, "0", "from 1 to 1e12"),
    ("seed", -1, "-1", "from 0 to 9223372036854775807"),
    ("device", "gpu", "'gpu'", "auto, cpu, cuda or cuda:N"),
    ("device", "cuda:", "'cuda:'", "auto, cpu, cuda or cuda:N"),
]


@pytest.mark.parametrize(("key", "value", "shown", "allowed"), OUT_OF_RANGE)
def test_value_out_of_range_names_key_value_and_range(
    key: str, value: Any, shown: str, allowed: str
) -> None:
    message = refusal(nested(key, value))
    assert message.startswith(f"{key}: expected ")
    assert message.endswith(f", got {shown}")
    assert allowed in message


@pytest.mark.parametrize("key", NUMBER_KEYS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, "ten", "0.5", [1], {}])
def test_no_number_key_takes_what_is_no_finite_number(key: str, value: Any) -> None:
    assert refusal(nested(key, value)).startswith(f"{key}: expected ")


WRONG_TYPES: list[tuple[str, Any]] = [
    ("env.id", 3),
    ("env.id", None),
    ("env.id", "Pendulum\n-v1"),
    ("env.kwargs", [1]),
    ("env.kwargs", {1: 2}),
    ("env.kwargs", {"f": math.sin}),
    ("env.wrappers", {"class_path": "a.B"}),
    ("env.wrappers", [{"kwargs": {}}]),
    ("env.wrappers", [{"class_path": "a.B", "args": []}]),
    ("env.wrappers", "a.B"),
    ("agent.critic_hidden_sizes", 256),
    ("agent.adam_betas", 0.9),
    ("train.reset_at", 1000),
    ("agent.hidden_sizes", 256),
    ("agent.hidden_sizes", "256"),
    ("agent.hidden_sizes", [2.5]),
    ("agent.normalize_observations", 1),
    ("agent.normalize_observations", "yes"),
    ("agent.activation", None),
    ("train.init_from", 3),
    ("logging.root", None),
    ("name", ["a"]),
    ("seed", 1.5),
]


@pytest.mark.parametrize(("key", "value"), WRONG_TYPES)
def test_wrong_type_is_refused(key: str, value: Any) -> None:
    assert refusal(nested(key, value)).startswith(f"{key}: expected ")


@pytest.mark.parametrize("key", ["seed", "agent.gamma"])
def test_number_too_long_to_write_is_refused(key: str) -> None:
    for value in (10**5000, -(10**5000)):
        assert refusal(nested(key, value)).endswith("got a number of thousands of digits")
    assert refusal(nested(key, [10**5000])).endswith("got [a number of thousands of digits]")


MISFITS: list[tuple[dict[str, Any], str, str]] = [
    (
        {"train": {"total_steps": 100, "learning_starts": 1000}},
        "train.learning_starts",
        "train.total_steps (100), got 1000",
    ),
    ({"train": {"buffer_size": 255}}, "train.buffer_size", "train.batch_size (256), got 255"),
    (
        {"agent": {"log_std_min": 2.0}},
        "agent.log_std_min",
        "agent.log_std_max (2), got 2",
    ),
    (
        {"env": {"num_envs": 3}, "train": {"buffer_size": 2, "batch_size": 1}},
        "train.buffer_size",
        "env.num_envs (3), got 2",
    ),
]


@pytest.mark.parametrize(("data", "key", "ending"), MISFITS)
def test_values_that_do_not_fit_together_are_refused(
    data: dict[str, Any], key: str, ending: str
) -> None:
    message = refusal(data)
    assert message.startswith(f"{key}: expected ")
    assert message.endswith(ending)


@pytest.mark.parametrize(
    "data",
    [
        {"train": {"total_steps": 1000, "learning_starts": 1000}},
        {"train": {"buffer_size": 256}},
        {"agent": {"gamma": 0, "tau": 1, "alpha": 0.2, "target_entropy": -3}},
        {"agent": {"gamma": 1, "max_grad_norm": 1, "log_std_min": 1.5}},
        {"train": {"learning_starts": 0}, "evaluation": {"every_steps": 0}},
        {"device": "cuda:1"},
    ],
)
def test_the_ends_of_the_ranges_are_inside(data: dict[str, Any]) -> None:
    Config.from_dict(data)


@pytest.mark.parametrize(
    ("data", "unknown", "nearest"),
    [
        ({"agent": {"gama": 0.9}}, "agent.gama", "agent.gamma"),
        ({"agent": {"policy_learning_rate": 1}}, "agent.policy_learning_rate", "agent.policy_lr"),
        ({"train": {"totalsteps": 1}}, "train.totalsteps", "train.total_steps"),
        ({"trian": {}}, "trian", "train"),
        ({"gamma": 0.9}, "gamma", "agent.gamma"),
        ({"train": {"gamma": 0.9}}, "train.gamma", "agent.gamma"),
        ({"sead": 1}, "sead", "seed"),
        ({"enviroment": {}}, "enviroment", "env"),
    ],
)
def test_unknown_key_names_the_nearest(data: dict[str, Any], unknown: str, nearest: str) -> None:
    assert refusal(data) == f"unknown key '{unknown}', the nearest is {nearest}"


def test_dotted_key_in_a_file_is_told_where_to_stand() -> None:
    assert "write gamma indented below `agent:`" in refusal({"agent.gamma": 0.9})


@pytest.mark.parametrize("value", [3, "gamma", [1], True])
def test_section_without_keys_is_refused(value: Any) -> None:
    assert refusal({"agent": value}).startswith("agent: expected keys with values, got ")


def test_section_left_empty_has_its_defaults() -> None:
    assert Config.from_yaml("agent:\nseed: 1") == Config(seed=1)


@pytest.mark.parametrize("text", ["2e4", "20000", "2.0e+4", "2E4", "20000.0", "0.2e5", "+2e4"])
def test_whole_numbers_in_every_notation(text: str) -> None:
    steps = Config.from_yaml(f"train: {{total_steps: {text}}}").train.total_steps
    assert (steps, type(steps)) == (20000, int)


def test_exponent_text_as_plain_yaml_loaders_leave_it() -> None:
    config = Config.from_dict({"train": {"total_steps": "2e4"}, "agent": {"policy_lr": "3e-4"}})
    assert (config.train.total_steps, config.agent.policy_lr) == (20000, 3e-4)


def test_large_whole_numbers_stay_exact() -> None:
    assert Config(seed=2**53 + 1).seed == 2**53 + 1


def test_values_take_their_declared_types() -> None:
    kwargs = {"g": np.float64(9.8), "n": np.int64(2), "t": (1,)}
    config = Config.from_dict(
        {
            "env": {"id": "Pendulum-v1", "kwargs": kwargs},
            "agent": {"gamma": 1, "hidden_sizes": [np.int64(64)], "alpha": np.float32(0.5)},
            "train": {"init_from": Path("runs/a")},
        }
    )
    assert type(config.agent.gamma) is float
    assert config.agent.hidden_sizes == (64,)
    assert type(config.agent.alpha) is float
    assert config.train.init_from == "runs/a"
    assert Config.from_yaml(config.to_yaml()) == config


def test_python_and_yaml_have_the_same_checks() -> None:
    with pytest.raises(ConfigError, match=r"agent\.gamma: expected a number from 0 to 1, got 2"):
        AgentConfig(gamma=2)
    with pytest.raises(ConfigError, match=r"agent\.gamma"):
        dataclasses.replace(AgentConfig(), gamma=2)


def test_a_config_cannot_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().seed = 1  # type: ignore[misc]


def test_a_config_shares_nothing_with_what_it_came_from_or_gives_out() -> None:
    kwargs = {"deep": {"list": [1]}}
    config = Config(env=EnvConfig("a", kwargs=kwargs))
    kwargs["deep"]["list"].append(2)
    config.to_dict()["env"]["kwargs"]["deep"]["list"].append(3)
    assert config.env.kwargs == {"deep": {"list": [1]}}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_every_key_says_what_it_is_and_takes_its_own_default(key: Key) -> None:
    assert key.option.help.endswith(".")
    assert Config.from_dict(nested(key.name, key.default)) == Config()


def test_merged_lays_overrides_over_a_copy() -> None:
    config = Config(env=EnvConfig("a", kwargs={"x": 1}), seed=3)
    merged = config.merged({"env": {"kwargs": {"y": 2}}, "agent": {"gamma": 0.9}})
    assert merged.env == EnvConfig("a", kwargs={"x": 1, "y": 2})
    assert (merged.agent.gamma, merged.seed, config.agent.gamma) == (0.9, 3, 0.99)
    with pytest.raises(ConfigError, match=r"the nearest is agent\.gamma"):
        config.merged({"agent": {"gama": 0.9}})


def test_load_takes_the_files_name_unless_it_says_otherwise(tmp_path: Path) -> None:
    (tmp_path / "swing.yaml").write_text("seed: 1", encoding="utf-8")
    (tmp_path / "other.yaml").write_text("name: mine", encoding="utf-8")
    (tmp_path / "none.yaml").write_text("name: null", encoding="utf-8")
    assert Config.load(tmp_path / "swing.yaml") == Config(seed=1, name="swing")
    assert Config.load(tmp_path / "other.yaml").name == "mine"
    assert Config.load(tmp_path / "none.yaml").name is None


def test_load_checks_the_file_under_its_overrides(tmp_path: Path) -> None:
    path = tmp_path / "short.yaml"
    path.write_text("train: {total_steps: 500, learning_starts: 600}", encoding="utf-8")
    with pytest.raises(ConfigError, match="learning_starts"):
        Config.load(path)
    overrides = {"train": {"learning_starts": 100}}
    assert Config.load(str(path), overrides).train == TrainConfig(500, 100)


def test_unknown_key_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "typo.yaml"
    path.write_text("agent: {gama: 0.9}", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        Config.load(path)
    assert str(caught.value) == f"{path}: unknown key 'agent.gama', the nearest is agent.gamma"


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
)
plain_values = st.recursive(
    scalars, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=5), x, max_size=3)
)
kwargs_values = st.dictionaries(st.text(max_size=8), plain_values, max_size=3)
names = st.text(st.characters(exclude_categories=("C", "Z")), max_size=12) | st.sampled_from(
    ["1e4", "null", "off", "1.5e3", "~", "0x1", "2001-01-01", "a: b", "#"]
)
configs = st.builds(
    Config,
    env=st.builds(
        EnvConfig,
        id=names,
        kwargs=kwargs_values,
        wrappers=st.lists(st.builds(WrapperConfig, names, kwargs_values), max_size=2),
    ),
    agent=st.builds(
        AgentConfig,
        gamma=st.floats(0, 1),
        alpha=st.just("auto") | st.floats(1e-300, 1e300),
        hidden_sizes=st.lists(st.integers(1, 512), max_size=3),
    ),
    train=st.builds(TrainConfig, init_from=st.none() | names),
    seed=st.integers(0, 2**63 - 1),
    name=st.none() | names,
)


@settings(deadline=None)
@given(configs)
def test_yaml_and_back_is_the_same(config: Config) -> None:
    assert Config.from_dict(config.to_dict()) == config
    assert Config.from_yaml(config.to_yaml()) == config


known_names = st.sampled_from([part for name in KEYS for part in name.split(".")])
junk_trees = st.recursive(
    scalars | st.floats(),
    lambda x: st.lists(x, max_size=3) | st.dictionaries(known_names | st.text(), x, max_size=4),
)
fragments = st.lists(
    st.sampled_from([*KEYS, "env:", "agent:", "\n", "  ", ": ", "1e4", "[", "]", "{", "}", "&a"])
    | st.sampled_from(["*a", "- ", "!!python/object:os.system", "!!binary", "? ", "<<", "|", "%"])
    | st.text(max_size=4)
).map("".join)


@settings(deadline=None)
@given(st.dictionaries(known_names | st.text(), junk_trees))
def test_junk_in_dictionaries_is_a_config_error(data: dict[str, Any]) -> None:
    try:
        Config.from_dict(data)
    except ConfigError as error:
        assert str(error)  # any other exception fails the test


@settings(deadline=None)
@given(fragments | st.text())
def test_junk_in_yaml_is_a_config_error(text: str) -> None:
    try:
        Config.from_yaml(text)
    except ConfigError as error:
        assert str(error)


@pytest.mark.parametrize("text", ["64 64", "64,64", " 64, 64 "])
def test_advice_for_a_list_is_one_that_can_be_read(text: str) -> None:
    with pytest.raises(ConfigError, match=r"write \[64, 64\]$"):
        Config.from_dict({"agent": {"hidden_sizes": text}})
