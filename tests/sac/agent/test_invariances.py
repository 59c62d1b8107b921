"""What must not matter to an agent: units, other generators, the host; and what must be refused."""

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import autograd as torch
from autograd import Tensor
from sac.agent.agent import SACAgent
from sac.agent.loss_guard import LossGuard
from sac.replay.batch import Batch
from tests.sac.agents_for_tests import assert_same_bits, gradient, make_agent, make_batch

ACTIONS = ["continuous", "discrete"]
UNIT = spaces.Box(-1.0, 1.0, (3,), np.float32)
RESCALED = {
    "wide": spaces.Box(-1e6, 1e6, (3,), np.float32),
    "narrow": spaces.Box(1e-6, 3e-6, (3,), np.float32),
    "asymmetric": spaces.Box(
        np.array([-1.0, 5.0, 0.0]), np.array([3.0, 6.5, 1e3]), dtype=np.float64
    ),
}


def learn(agent: SACAgent, updates: int = 4) -> list[dict[str, Any]]:
    return [agent.update(make_batch(agent, seed)) for seed in range(updates)]


@pytest.mark.parametrize("space", RESCALED.values(), ids=RESCALED)
def test_bounds_of_the_actions_change_no_log_probability_alpha_or_loss(space: spaces.Box) -> None:
    unit, rescaled = make_agent(UNIT), make_agent(space)
    for expected, actual in zip(learn(unit), learn(rescaled), strict=True):
        assert expected.keys() == actual.keys()
        for name in expected:  # "entropy" is minus the log-probability
            np.testing.assert_array_equal(np.asarray(actual[name]), np.asarray(expected[name]))
    assert_same_bits(rescaled.state_dict(), unit.state_dict())
    observations = make_batch(unit).observation
    in_unit = unit.act(observations, deterministic=True).astype(np.float64)
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    in_space = rescaled.act(observations, deterministic=True)
    np.testing.assert_allclose(in_space, low + (in_unit + 1) / 2 * (high - low), rtol=1e-5)


@pytest.mark.parametrize("actions", ACTIONS)
def test_the_default_generator_and_numpys_own_are_neither_used_nor_moved(actions: str) -> None:
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        before = torch.get_rng_state().tolist()
        before_numpy = repr(np.random.get_state())
        agent = make_agent(actions)
        learn(agent)
        explored = agent.explore(make_batch(agent).observation)
        states.append({**agent.state_dict(), "explored": explored})
        assert torch.get_rng_state().tolist() == before
        assert repr(np.random.get_state()) == before_numpy
    assert_same_bits(*states)


@pytest.mark.parametrize("actions", ACTIONS)
def test_exploring_does_not_change_what_is_learned(actions: str) -> None:
    """Noise of updates and of exploration comes from streams of their own."""
    quiet, exploring = make_agent(actions), make_agent(actions)
    learn(quiet)
    for seed in range(4):
        batch = make_batch(exploring, seed)
        exploring.explore(batch.observation)
        exploring.update(batch)
    assert_same_bits(exploring.state_dict(), quiet.state_dict())


def test_noise_of_the_target_and_of_the_policys_loss_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One draw for both would tie the target's action to the policy's."""
    drawn = []
    agent = make_agent()
    original = agent.policy_net.rsample

    def rsample(observation: Tensor, generator: torch.Generator) -> Any:
        drawn.append(torch.randn(1, generator=copy.deepcopy(generator)).item())
        return original(observation, generator)

    monkeypatch.setattr(agent.policy_net, "rsample", rsample)
    learn(agent, updates=2)
    assert len(set(drawn)) == len(drawn) == 4


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("keys", [{}, {"max_grad_norm": 0.5, "normalize_observations": True}])
def test_an_update_never_waits_for_a_number(
    actions: str, keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a GPU every such conversion stops the host until the device has caught up."""
    agent = make_agent(actions, **keys)
    optimizers = agent.optimizers().values()
    agent.loss_guard = LossGuard(optimizers, agent.device, is_deferred=True)  # as there
    learn(agent, updates=1)

    def refused(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a tensor was converted to a number or an array of the host")

    for name in ("item", "tolist", "numpy", "__float__", "__int__", "__bool__", "__array__"):
        monkeypatch.setattr(Tensor, name, refused)
    metrics = agent.update(make_batch(agent, 1))
    assert {type(value) for name, value in metrics.items() if name != "target_entropy"} == {Tensor}


@pytest.mark.parametrize("actions", ACTIONS)
def test_all_tensors_of_an_update_are_float32(
    actions: str,
) -> None:
    observations = spaces.Box(-1.0, 1.0, (3,), np.float64)
    space = actions if actions == "discrete" else spaces.Box(-0.1, 0.3, (2,), np.float64)
    agent = make_agent(space, observations, reward_scale=0.1, normalize_observations=True)
    dtypes: set[Any] = set()

    def note(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        dtypes.update(tensor.dtype for tensor in (*inputs, output))

    critic = agent.critic
    for net in (agent.policy_net.net, critic.soft_q_nets, critic.target_soft_q_nets):
        net.register_forward_hook(note)
    agent.observe(make_batch(agent).observation)
    learn(agent)
    agent.act(np.zeros(3, np.float64))
    assert dtypes == {torch.float32}
    parameters = [
        agent.policy_net.net.flat,
        agent.critic.soft_q_nets.flat,
    ]
    assert {p.dtype for p in parameters} == {torch.float32}
    assert {gradient(p).dtype for p in parameters} == {np.dtype(np.float32)}
    transitions = agent.transitions(make_batch(agent))
    floats = [t for t in transitions if t is not None and t.dtype != torch.int64]
    assert {tensor.dtype for tensor in floats} == {torch.float32}


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("fields", [("reward",), ("reward", "discount")])
def test_values_without_their_column_are_refused(actions: str, fields: tuple[str, ...]) -> None:
    """(B,) against (B, 1) would broadcast to (B, B) and teach every state the others' values."""
    agent = make_agent(actions)
    batch = make_batch(agent)
    flat: Batch = replace(batch, **{name: getattr(batch, name)[:, 0] for name in fields})
    with pytest.raises(ValueError, match=rf"batch\.{fields[0]}: expected the shape \(8, 1\)"):
        agent.update(flat)


@pytest.mark.parametrize("actions", ACTIONS)
def test_a_terminated_transition_does_not_look_at_its_successor(actions: str) -> None:
    agent = make_agent(actions)
    batch = make_batch(agent)
    target = agent.update(batch)["target_q_mean"].numpy()
    ended = batch.discount == 0
    np.testing.assert_array_equal(target[ended], batch.reward[ended])
    assert (target[~ended] != batch.reward[~ended]).all()


def test_both_readings_of_a_soft_q_network_take_policy_units() -> None:
    agent = make_agent(spaces.Box(100.0, 300.0, (2,), np.float32))
    largest = []
    for nets in (agent.critic.soft_q_nets, agent.critic.target_soft_q_nets):
        nets.register_forward_pre_hook(lambda module, x: largest.append(float(x[1].abs().max())))
    learn(agent, updates=1)
    assert len(largest) == 3  # for the target, for the losses, for the policy
    assert max(largest) <= 1
