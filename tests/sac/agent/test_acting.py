"""`act` for every kind of observation and action, single and batched, and after a load."""

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

import autograd as torch
from sac.agent.agent import SACAgent
from sac.errors import DeviceError, SpaceError
from sac.run.checkpoint import save_checkpoint
from tests.sac.agents_for_tests import make_agent, set_output

BOX = spaces.Box(-3.0, 3.0, (3,), np.float32)
OBSERVATION_SPACES: dict[str, spaces.Space] = {
    "box": BOX,
    "box of two dimensions": spaces.Box(-1.0, 1.0, (2, 3), np.float32),
    "box of none": spaces.Box(-1.0, 1.0, (), np.float32),
    "float64": spaces.Box(-1e3, 1e3, (3,), np.float64),
    "int64": spaces.Box(-5, 5, (3,), np.int64),
    "image": spaces.Box(0, 255, (4, 4, 3), np.uint8),
    "discrete": spaces.Discrete(5, start=2),
    "multi discrete": spaces.MultiDiscrete([3, 2]),
    "multi binary": spaces.MultiBinary(4),
    "dict": spaces.Dict({"b": spaces.Discrete(3), "a": BOX}),
    "dict of bytes": spaces.Dict(
        {"codes": spaces.Box(0, 255, (2, 2, 3), np.uint8), "direction": spaces.Discrete(4)}
    ),
    "dict with an image": spaces.Dict({"a": BOX, "b": spaces.Box(0, 255, (36, 36, 1), np.uint8)}),
    "tuple": spaces.Tuple([BOX, spaces.MultiBinary(2)]),
    "nested": spaces.Dict({"x": spaces.Tuple([BOX, spaces.Dict({"y": spaces.Discrete(2)})])}),
}
ACTION_SPACES: dict[str, spaces.Space] = {
    "box": spaces.Box(-1.0, 1.0, (2,), np.float32),
    "box of two dimensions": spaces.Box(-2.0, 2.0, (2, 3), np.float32),
    "box of none": spaces.Box(-2.0, 2.0, (), np.float32),
    "float64": spaces.Box(-0.1, 0.3, (2,), np.float64),
    "asymmetric": spaces.Box(
        np.array([-1.0, 5.0, 0.0], np.float32), np.array([3.0, 6.5, 1000.0], np.float32)
    ),
    "discrete": spaces.Discrete(3),
    "discrete from 5": spaces.Discrete(4, start=5),
    "discrete int32": spaces.Discrete(4, start=-1, dtype=np.int32),
}
N = 4


def check(action: Any, space: spaces.Space) -> None:
    assert action.dtype == space.dtype
    assert space.contains(action), action


def row(actions: Any, index: int, space: spaces.Space) -> Any:
    return actions[index] if isinstance(space, spaces.Discrete) else actions[index, ...]


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_part_that_would_be_cut_is_refused(is_batch: bool) -> None:
    codes = spaces.Box(0, 9, (3,), np.uint8)
    agent = make_agent(ACTION_SPACES["box"], spaces.Dict({"a": BOX, "codes": codes}))
    observation = agent.observation_encoder.space.sample()
    observation["codes"] = np.array([1, 0.25, 2])
    if is_batch:
        observation = {name: part[None] for name, part in observation.items()}
    with pytest.raises(SpaceError, match="expected an observation of uint8"):
        agent.act(observation)


MISFITS: dict[str, tuple[spaces.Space, list[Any]]] = {
    "discrete": (spaces.Discrete(6, start=3), [2, 0, 9, 3.5, "a", None]),
    "multi discrete": (
        spaces.MultiDiscrete([3, 3]),
        [[3, 0], [5, 0], [0, -1], [0, 3], [0.5, 1], [0], [[0, 1], [0, 3]], [[0, 1], [0]]],
    ),
    "multi binary": (spaces.MultiBinary(3), [[0, 1, 7], [0.5, -3, 1], [[0, 1, 1], [0, 1, 2]]]),
    "multi binary of two dimensions": (spaces.MultiBinary((2, 3)), [np.zeros((3, 2), int)]),
    "box": (BOX, [["a"] * 3, [1, 2, 1j], np.zeros(3, "M8[s]"), [[1, 2, 3], [1, 2]], None]),
    "dict": (
        spaces.Dict({"a": BOX, "b": spaces.Discrete(2)}),
        [
            {"a": np.zeros((2, 3), np.float32), "b": np.zeros(3, int)},
            {"a": np.zeros((3, 3), np.float32), "b": np.zeros(2, int)},
            {"a": np.zeros((3, 3), np.float32), "b": 0},
            {"a": np.zeros((1, 3), np.float32)},
        ],
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_what_is_no_observation_is_refused(case: str) -> None:
    """Where arithmetic would make an observation of it all the same."""
    space, misfits = MISFITS[case]
    agent = make_agent(ACTION_SPACES["box"], space)
    for each in misfits:
        with pytest.raises(SpaceError, match=r"expected an? (observation|batch)"):
            agent.act(each)


@pytest.mark.parametrize("name", ["mps", "cpu:x", None])
def test_unknown_device_is_refused(name: Any) -> None:
    with pytest.raises(DeviceError, match="device: expected auto, cpu, cuda or cuda:N, got"):
        make_agent(device=name)


@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize("actions", ["box", "discrete"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_observations_that_are_not_finite_are_refused(
    number: float, actions: str, deterministic: bool
) -> None:
    agent = make_agent(ACTION_SPACES[actions], BOX, normalize_observations=True)
    observation = np.array([0.5, number, 0.5], np.float32)
    with pytest.raises(SpaceError, match=rf"got {number} at \[1\] of observation 0"):
        agent.act(observation, deterministic)
    batch = np.stack([np.zeros(3, np.float32), observation])
    with pytest.raises(SpaceError, match=r"at \[1\] of observation 1"):
        agent.act(batch, deterministic)
    nested = make_agent(ACTION_SPACES[actions], spaces.Dict({"a": BOX, "b": spaces.Discrete(2)}))
    with pytest.raises(SpaceError, match="expected observations of finite numbers"):
        nested.act({"a": observation, "b": 1}, deterministic)


@pytest.mark.parametrize("actions", ACTION_SPACES.values(), ids=ACTION_SPACES)
@pytest.mark.parametrize("observations", OBSERVATION_SPACES.values(), ids=OBSERVATION_SPACES)
def test_every_observation_and_action(
    observations: spaces.Space, actions: spaces.Space, tmp_path: Path
) -> None:
    agent = make_agent(actions, observations)
    observations.seed(0)
    batch_of = batch_space(observations, N)
    batch_of.seed(0)
    single, batch = observations.sample(), batch_of.sample()
    for deterministic in (False, True):
        check(agent.act(single, deterministic=deterministic), actions)
        several = agent.act(batch, deterministic=deterministic)
        assert several.shape == (N, *agent.action_codec.shape)
        for index in range(N):
            check(row(several, index, actions), actions)
    tensors = {"policy": agent.policy_state_dict()}
    save_checkpoint(tmp_path / "c", tensors, {"policy": agent.description()}, step=0)
    loaded = SACAgent.load(tmp_path / "c")
    assert loaded.action_codec.space == actions
    assert loaded.observation_encoder.space == observations
    for observation in (single, batch):
        expected = agent.act(observation, deterministic=True)
        np.testing.assert_array_equal(loaded.act(observation, deterministic=True), expected)


@pytest.mark.parametrize("actions", ACTION_SPACES.values(), ids=ACTION_SPACES)
def test_one_of_a_batch_is_acted_on_as_if_it_were_alone(actions: spaces.Space) -> None:
    agent = make_agent(actions, BOX)
    batch = np.random.default_rng(0).uniform(-3, 3, (N, 3)).astype(np.float32)
    together = agent.act(batch, deterministic=True)
    for index in range(N):
        alone = agent.act(batch[index], deterministic=True)
        np.testing.assert_allclose(together[index], alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("actions", ACTION_SPACES.values(), ids=ACTION_SPACES)
def test_deterministic_repeats_and_stochastic_does_not(actions: spaces.Space) -> None:
    agent = make_agent(actions, BOX)
    observation = np.ones(3, np.float32)

    def distinct(*, deterministic: bool) -> int:
        taken = [agent.act(observation, deterministic=deterministic) for _ in range(30)]
        return len(np.unique(np.stack(taken), axis=0))

    generators = agent.generator_state()
    assert distinct(deterministic=True) == 1
    assert agent.generator_state() == generators  # no random number was used up
    assert distinct(deterministic=False) > 1


@pytest.mark.parametrize("end", [-1, 1])
@pytest.mark.parametrize("name", [name for name in ACTION_SPACES if "discrete" not in name])
def test_a_saturated_policy_gives_the_bounds_themselves(name: str, end: int) -> None:
    space = ACTION_SPACES[name]
    assert isinstance(space, spaces.Box)
    agent = make_agent(space, BOX)
    size = int(np.prod(space.shape))
    set_output(agent.policy_net, [30.0 * end] * size + [-10.0] * size)
    bound = space.low if end < 0 else space.high
    for deterministic in (False, True):
        action = agent.act(np.zeros(3, np.float32), deterministic=deterministic)
        np.testing.assert_array_equal(action, bound)


def test_a_mean_of_zero_acts_in_the_middle_of_each_dimensions_own_bounds() -> None:
    agent = make_agent(ACTION_SPACES["asymmetric"], BOX)
    set_output(agent.policy_net, [0.0] * 6)
    action = agent.act(np.zeros(3, np.float32), deterministic=True)
    np.testing.assert_allclose(action, [1.0, 5.75, 500.0])


@pytest.mark.parametrize("best", range(4))
def test_discrete_actions_start_where_the_space_does(best: int) -> None:
    agent = make_agent(ACTION_SPACES["discrete from 5"], BOX)
    set_output(agent.policy_net, [float(50 * (action == best)) for action in range(4)])
    for deterministic in (False, True):
        assert agent.act(np.zeros(3, np.float32), deterministic=deterministic) == 5 + best


def test_a_discrete_action_can_index_a_table() -> None:
    action = make_agent("discrete", BOX).act(np.zeros(3, np.float32))
    table: dict[Any, str] = {int(action): "found"}
    assert table[action] == "found"


def test_actions_drive_an_environment() -> None:
    env = gymnasium.make("Pendulum-v1")
    agent = make_agent(env.action_space, env.observation_space)
    observation, _ = env.reset(seed=0)
    for _ in range(3):
        observation, *_ = env.step(agent.act(observation))
    env.close()


def test_evaluation_draws_from_the_generator_it_is_given() -> None:
    agent = make_agent()
    observations = np.zeros((2, 3), np.float32)
    generators = agent.generator_state()
    one, same, other = (agent.sample(observations, np.random.default_rng(s)) for s in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    assert agent.generator_state() == generators


@pytest.mark.parametrize("observation", [np.zeros(4, np.float32), np.zeros((2, 2, 3)), 1.0, "x"])
def test_an_observation_that_does_not_fit_is_refused(observation: Any) -> None:
    with pytest.raises(SpaceError):
        make_agent().act(observation)


@pytest.mark.parametrize(
    ("observations", "actions"),
    [
        (BOX, spaces.Box(-np.inf, np.inf, (2,), np.float32)),
        (BOX, spaces.Dict({"a": spaces.Text(3)})),
        (spaces.Text(3), spaces.Discrete(2)),
    ],
)
def test_unsupported_spaces_are_refused(observations: spaces.Space, actions: spaces.Space) -> None:
    with pytest.raises(SpaceError):
        make_agent(actions, observations)


@pytest.mark.parametrize("device", ["cpu", "standin"], indirect=True)
@pytest.mark.parametrize("rows", [1, 3])
def test_noise_of_the_callers_takes_the_place_of_draws(rows: int, device: str) -> None:
    agent = make_agent(spaces.Box(-2.0, 2.0, (2, 2), np.float32), BOX, device=device)
    rng = np.random.default_rng(0)
    observations = rng.standard_normal((rows, 3)).astype(np.float32)
    noise = rng.standard_normal((rows, 4)).astype(np.float32)
    with torch.no_grad():
        outputs = agent.policy_net.net(agent.observation_input(observations)).numpy(force=True)
    expected = np.tanh(outputs[:, :4] + np.exp(outputs[:, 4:]) * noise).reshape(rows, 2, 2)
    states = agent.generator_state()
    np.testing.assert_allclose(agent.perturb(observations, noise), expected, atol=1e-6)
    assert agent.generator_state() == states
