"""An agent's state: exact to the last bit, and refused whole where it does not fit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from sac.agent.agent import SACAgent
from sac.errors import CheckpointError, ConfigError, SACError
from sac.run.checkpoint import save_checkpoint
from tests.sac.agents_for_tests import assert_same_bits, make_agent, make_batch

State = dict[str, np.ndarray]
ACTIONS = ["continuous", "discrete"]


def trained(actions: str = "continuous", updates: int = 3, **keys: Any) -> SACAgent:
    agent = make_agent(actions, **keys)
    for seed in range(updates):
        batch = make_batch(agent, seed)
        agent.observe(batch.observation)
        agent.update(batch)
    return agent


def copied(state: State) -> State:
    return {name: array.copy() for name, array in state.items()}


def through_json(document: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(json.dumps(document))
    return result


def resumed(agent: SACAgent, actions: str, **keys: Any) -> SACAgent:
    """Load the agent's state into one of another seed that has learned something else."""
    other = trained(actions, updates=1, seed=8, **keys)
    other.load_state_dict(copied(agent.state_dict()))
    other.load_generator_state(through_json(agent.generator_state()))
    return other


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("keys", [{}, {"alpha": 0.2, "num_soft_q_nets": 3}], ids=["auto", "fixed"])
@pytest.mark.parametrize("updates", [0, 3])
def test_a_resumed_agent_goes_on_to_the_last_bit(
    actions: str, keys: dict[str, Any], updates: int, device: str
) -> None:
    agent = trained(actions, updates, normalize_observations=True, device=device, **keys)
    other = resumed(agent, actions, normalize_observations=True, device=device, **keys)
    assert_same_bits(other.state_dict(), agent.state_dict())
    assert other.updates == agent.updates == updates
    observations = make_batch(agent, 9).observation
    np.testing.assert_array_equal(other.explore(observations), agent.explore(observations))
    for seed in (5, 6):
        for each in (agent, other):
            each.update(make_batch(agent, seed))
    assert_same_bits(other.state_dict(), agent.state_dict())


def test_the_state_holds_the_moments_and_steps_of_every_optimizer() -> None:
    state = trained(updates=3).state_dict()
    steps = {name: array for name, array in state.items() if name.endswith(".step")}
    assert all(array == 3 for array in steps.values())
    assert {name.rsplit(".", 2)[0] for name in steps} == {
        "policy_optimizer", "critic_optimizer", "alpha_optimizer",
    }  # fmt: skip
    moments = [array for name, array in state.items() if ".exp_avg" in name]
    assert len(moments) == 2 * 3
    assert all(array.any() for array in moments)


def test_a_state_that_was_taken_does_not_change_later() -> None:
    agent = trained()
    state = agent.state_dict()
    kept = copied(state)
    agent.update(make_batch(agent, 7))
    assert_same_bits(state, kept)


def test_a_loaded_state_is_not_shared() -> None:
    agent = trained()
    state = copied(agent.state_dict())
    agent.load_state_dict(state)
    kept = copied(state)
    agent.update(make_batch(agent, 7))
    assert_same_bits(state, kept)


def without(name: str) -> Callable[[State], Any]:
    return lambda state: state.pop(name)


def changed(name: str, value: Any) -> Callable[[State], Any]:
    return lambda state: state.update({name: np.asarray(value)})


WEIGHT = "policy_net.net.layers.0.weight"
DAMAGES = {
    "weight missing": without(WEIGHT),
    "weight of another shape": changed(WEIGHT, np.zeros((8, 4), np.float32)),
    "weight that would broadcast": changed(WEIGHT, np.zeros((8, 1), np.float32)),
    "weight of another dtype": changed(WEIGHT, np.zeros((8, 3), np.int64)),
    "weight in float64": changed(WEIGHT, np.zeros((8, 3), np.float64)),
    "target missing": without("target_soft_q_nets.1.net.layers.0.bias"),
    "network too many": changed("soft_q_nets.2.net.layers.0.bias", np.zeros(8, np.float32)),
    "alpha missing": without("temperature.log_alpha"),
    "moment missing": without("policy_optimizer.0.exp_avg"),
    "moment of another shape": changed("policy_optimizer.0.exp_avg_sq", np.zeros(1, np.float32)),
    "steps missing": without("alpha_optimizer.0.step"),
    "parameter too many": changed("policy_optimizer.6.step", np.float32(1)),
    "parameter without number": changed("policy_optimizer.__class__.step", np.float32(1)),
    "unknown name": changed("__init__", np.zeros(1)),
    "empty name": changed("", np.zeros(1)),
    "statistics missing": without("observation_input.mean"),
    "statistics of another shape": changed("observation_input.mean", np.zeros(1)),
    "updates missing": without("updates"),
    "updates as a list": changed("updates", np.zeros(2, np.int64)),
    "updates as a fraction": changed("updates", 0.5),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_does_not_fit_is_refused_and_changes_nothing(damage: Callable[[State], Any]) -> None:
    agent = trained(normalize_observations=True)
    state = copied(trained(normalize_observations=True, seed=8).state_dict())
    damage(state)
    before = agent.state_dict()
    with pytest.raises(CheckpointError, match="does not fit the agent"):
        agent.load_state_dict(state)
    assert_same_bits(agent.state_dict(), before)
    assert agent.updates == 3


OTHERS: dict[str, dict[str, Any]] = {
    "other actions": {"actions": "discrete"},
    "other layers": {"hidden_sizes": (8,)},
    "other units": {"hidden_sizes": (8, 9)},
    "other observations": {"observations": spaces.Box(-1, 1, (4,), np.float32)},
    "more networks": {"num_soft_q_nets": 3},
    "fixed alpha": {"alpha": 0.2},
    "statistics": {"normalize_observations": True},
}


@pytest.mark.parametrize("keys", OTHERS.values(), ids=OTHERS)
def test_agents_of_other_shapes_refuse_each_others_state(keys: dict[str, Any]) -> None:
    one, other = make_agent(), make_agent(**keys)
    for target, source in ((one, other), (other, one)):
        with pytest.raises(CheckpointError):
            target.load_state_dict(source.state_dict())
        with pytest.raises(CheckpointError):
            target.load_weights(source.state_dict())


@pytest.mark.parametrize("actions", ACTIONS)
def test_weights_alone_leave_the_optimizers_new(actions: str) -> None:
    agent, other = trained(actions), make_agent(actions, seed=8)
    other.load_weights(agent.state_dict())
    weights = other.state_dict()
    assert weights.pop("updates") == 0
    assert not [name for name in weights if "optimizer" in name]
    assert_same_bits(weights, {name: agent.state_dict()[name] for name in weights})
    observations = make_batch(agent).observation
    np.testing.assert_array_equal(other.greedy(observations), agent.greedy(observations))


def test_optimizers_of_an_agent_that_has_learned_start_anew_with_other_weights() -> None:
    agent, other = trained("continuous"), trained("continuous")
    other.load_weights(agent.state_dict())
    moments = [v for n, v in other.state_dict().items() if "optimizer" in n]
    assert moments and not any(np.any(each) for each in moments)


BIT_GENERATOR = {"bit_generator": "PCG64", "state": {"state": 1, "inc": 2}, "has_uint32": 0}
GENERATOR_STATES: dict[str, Any] = {
    "nothing": {},
    "no dictionary": None,
    "list": [],
    "no state": {"seed": 1},
    "no generator": {"seed": 1, "bit_generator": {"bit_generator": "seed"}},
    "attribute of numpy.random": {"seed": 1, "bit_generator": {"bit_generator": "get_state"}},
    "unknown generator": {"seed": 1, "bit_generator": {"bit_generator": "PCG65"}},
    "name as number": {"seed": 1, "bit_generator": {"bit_generator": 3}},
    "incomplete": {"seed": 1, "bit_generator": {"bit_generator": "PCG64"}},
    "negative": {
        "seed": 1,
        "bit_generator": {**BIT_GENERATOR, "state": {"state": -1, "inc": 2}, "uinteger": 0},
    },
    "text": {"seed": "x", "bit_generator": {**BIT_GENERATOR, "uinteger": 0}},
}


@pytest.mark.parametrize("state", GENERATOR_STATES.values(), ids=GENERATOR_STATES)
def test_a_wrong_generator_state_is_refused(state: Any) -> None:
    agent = make_agent()
    before = np.random.get_state()[1].tolist()  # type: ignore[index]
    with pytest.raises(CheckpointError):
        agent.load_generator_state({"exploration": state, "policy": state})
    after = np.random.get_state()[1].tolist()  # type: ignore[index]
    assert after == before


# -- SACAgent.load ------------------------------------------------------------------------


def save(agent: SACAgent, folder: Path, /, **changes: Any) -> Path:
    tensors = {"policy": agent.policy_state_dict(), "agent": agent.state_dict()}
    tensors |= changes.pop("tensors", {})
    documents = {"policy": {**agent.description(), **changes}}
    save_checkpoint(folder, {k: v for k, v in tensors.items() if v is not None}, documents, step=7)
    return folder


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("keys", [{}, {"alpha": 0.1, "num_soft_q_nets": 1, "activation": "tanh"}])
def test_a_saved_agent_loads_as_it_was(
    actions: str, keys: dict[str, Any], tmp_path: Path, device: str
) -> None:
    agent = trained(actions, normalize_observations=True, device=device, **keys)
    loaded = SACAgent.load(save(agent, tmp_path / "checkpoint"), device=device)
    assert loaded.config == agent.config
    assert loaded.description() == agent.description()
    observations = make_batch(agent).observation
    np.testing.assert_array_equal(loaded.greedy(observations), agent.greedy(observations))
    state = agent.state_dict()
    weights = {n: a for n, a in state.items() if n != "updates" and "optimizer" not in n}
    assert_same_bits(loaded.state_dict(), {**weights, "updates": np.array(0)})


def test_a_policy_alone_can_be_loaded(tmp_path: Path) -> None:
    agent = trained()
    loaded = SACAgent.load(save(agent, tmp_path / "checkpoint", tensors={"agent": None}))
    assert_same_bits(loaded.policy_state_dict(), agent.policy_state_dict())


WRONG: dict[str, dict[str, Any]] = {
    "no policy": {"tensors": {"policy": None}},
    "policy of another shape": {"tensors": {"policy": {WEIGHT: np.zeros((8, 4), np.float32)}}},
    "empty policy": {"tensors": {"policy": {}}},
    "empty agent": {"tensors": {"agent": {}}},
    "no settings": {"agent": None},
    "unknown setting": {"agent": {"gama": 0.9}},
    "setting out of range": {"agent": {"gamma": 2.0}},
    "other settings": {"agent": {"hidden_sizes": [4]}},
    "no space": {"action_space": None},
    "unsupported space": {"action_space": {"type": "MultiBinary", "shape": [2], "is_flat": True}},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_a_wrong_policy_is_a_clear_error(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(SACError):
        SACAgent.load(save(trained(), tmp_path / "checkpoint", **dict(changes)))


def test_a_checkpoint_without_a_description_is_a_clear_error(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c", {"policy": trained().policy_state_dict()}, {}, step=1)
    with pytest.raises(CheckpointError, match="holds no policy"):
        SACAgent.load(tmp_path / "c")


def test_seed_is_a_whole_number_of_any_kind() -> None:
    first, second = make_agent(seed=7), make_agent(seed=np.int64(7))  # type: ignore[arg-type]
    assert_same_bits(first.state_dict(), second.state_dict())
    for seed in (-1, 1.5, "7"):
        with pytest.raises(ConfigError, match="seed: expected a whole number from 0"):
            make_agent(seed=seed)  # type: ignore[arg-type]
