"""Soft Q networks: what they take, how a stored action's value is read, what is learned from it."""

import itertools
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd.nn.functional import regularization
from sac.agent.variants import CRITICS
from sac.config import AgentConfig
from sac.critics import ActionAsInput, ActionAsOutput
from sac.critics.soft_q import SoftQCritic
from sac.critics.transitions import Transitions
from sac.errors import ConfigError
from sac.seeding import Streams
from tests.sac.agents_for_tests import make_agent, make_batch, run_as_written

CPU = torch.device("cpu")


def array(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


OBSERVATION, ACTION = torch.tensor(array(5, 3)), torch.tensor(array(5, 2))
CHOSEN = torch.tensor([[3], [0], [1], [3], [2]])


def make_critic(kind: str = "continuous", name: str = "sac", **keys: Any) -> SoftQCritic:
    reading = ActionAsInput(3, 2) if kind == "continuous" else ActionAsOutput(3, 4)
    config = AgentConfig(**{"hidden_sizes": (8, 7), "critic": name, **keys})
    streams = Streams.from_seed(0)
    return CRITICS[name](reading, config, np.random.default_rng(0), streams, CPU)


def by_hand(critic: SoftQCritic, x: np.ndarray) -> np.ndarray:
    """Return the outputs of all networks, (networks, batch, outputs)."""
    outputs = []
    for network in critic.soft_q_nets.layers():
        y = x
        for i, layer in enumerate(network):
            y = y @ layer.weight.numpy().T + layer.bias.numpy()
            y = np.maximum(y, 0) if i + 1 < len(network) else y
        outputs.append(y)
    return np.stack(outputs)


def test_continuous_reads_the_pair() -> None:
    critic = make_critic()
    values = critic.q_values(OBSERVATION, ACTION)
    assert (values.shape, values.dtype) == ((2, 5, 1), torch.float32)
    expected = by_hand(critic, np.concatenate([OBSERVATION.numpy(), ACTION.numpy()], axis=1))
    np.testing.assert_allclose(values.detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    least = critic.value(OBSERVATION, ACTION).detach().numpy()
    np.testing.assert_allclose(least, expected.min(0), rtol=1e-5, atol=1e-6)


def test_discrete_reads_the_stored_actions_value() -> None:
    critic = make_critic("discrete")
    expected = by_hand(critic, OBSERVATION.numpy())
    chosen = np.broadcast_to(CHOSEN.numpy(), (2, 5, 1))
    np.testing.assert_allclose(
        critic.q_values(OBSERVATION, CHOSEN).detach().numpy(),
        np.take_along_axis(expected, chosen, 2),
        atol=1e-6,
    )
    np.testing.assert_allclose(
        critic.value(OBSERVATION).detach().numpy(), expected.min(0), atol=1e-6
    )


def test_discrete_learns_of_the_stored_action_only() -> None:
    critic = make_critic("discrete")
    critic.q_values(OBSERVATION[:1], torch.tensor([[2]])).sum().backward()
    for network in critic.soft_q_nets.layers(critic.soft_q_nets.flat.grad):
        np.testing.assert_array_equal(network[-1].bias.numpy(), [0, 0, 1, 0])


def test_weights_have_the_names_of_layers_of_their_own() -> None:
    names = list(make_critic().state_dict())
    assert names[:2] == ["soft_q_nets.0.net.layers.0.weight", "soft_q_nets.0.net.layers.0.bias"]
    assert names[-1] == "target_soft_q_nets.1.net.layers.2.bias"
    assert len(names) == 2 * 2 * 6


def transitions(weight: torch.Tensor | None = None) -> Transitions:
    reward, discount = torch.tensor(array(5, 1)), torch.full((5, 1), 0.9)
    return Transitions(OBSERVATION, ACTION, reward, discount, OBSERVATION * 2, weight)


def test_weight_is_what_a_transitions_loss_counts() -> None:
    critic, target = make_critic(), torch.tensor(array(5, 1))
    plain, _ = critic.error(transitions(), target)
    ones, _ = critic.error(transitions(torch.ones(5, 1)), target)
    assert ones.item() == pytest.approx(plain.item(), rel=1e-6)
    weight = np.array([[0], [0], [3], [0], [0.5]], np.float32)
    weighted, metrics = critic.error(transitions(torch.tensor(weight)), target)
    squares = (critic.q_values(OBSERVATION, ACTION) - target).detach().numpy() ** 2
    expected = (0.5 * weight * squares).mean(axis=(1, 2))
    assert weighted.item() == pytest.approx(expected.sum(), rel=1e-5)
    assert metrics["q2_loss"].item() == pytest.approx(expected[1], rel=1e-5)
    errors = np.sqrt(squares).mean(axis=0)  # of both networks, unweighted: what priorities follow
    np.testing.assert_allclose(metrics["td_error"].numpy(), errors, rtol=1e-5)


def test_loss_gives_the_targets_no_gradient() -> None:
    agent = make_agent()
    batch = agent.transitions(make_batch(agent))
    loss, _ = agent.critic.loss(batch, agent.policy_net, agent.temperature.alpha)
    loss.backward()
    assert agent.critic.soft_q_nets.flat.grad is not None
    assert agent.critic.target_soft_q_nets.flat.grad is None
    assert agent.policy_net.net.flat.grad is None


def test_target_and_online_networks_have_dropout_masks_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agent = make_agent(critic_dropout=0.5, hidden_sizes=(32,), compile="never")
    run_as_written(agent)
    masks: list[np.ndarray] = []
    draw = regularization.draw_kept

    def noted(*arguments: Any) -> Any:
        masks.append(draw(*arguments))
        return masks[-1]

    monkeypatch.setattr(regularization, "draw_kept", noted)
    agent.update(make_batch(agent, size=64))
    target, online, *_ = masks
    assert target.shape == online.shape == (2, 64, 32)  # of two networks
    for one, other in itertools.combinations([*target, *online], 2):
        assert 0.4 < (one == other).mean() < 0.6


def test_redq_takes_the_minimum_over_a_random_few() -> None:
    critic = make_critic(name="redq", num_soft_q_nets=5, min_over=2)
    for nets in (critic.soft_q_nets, critic.target_soft_q_nets):
        for number, network in enumerate(nets.layers()):
            network[-1].weight.zero_()
            network[-1].bias.fill_(number)
    drawn = []
    for _ in range(500):
        least = critic.target_value(OBSERVATION, ACTION)
        assert least.shape == (5, 1) and (least == least[0]).all()  # the same ones for a batch
        drawn.append(int(least[0].item()))
    # Of the 10 pairs of 0 to 4 four have the minimum 0, three 1, two 2, one 3.
    shares = np.bincount(drawn, minlength=5) / len(drawn)
    np.testing.assert_allclose(shares, [0.4, 0.3, 0.2, 0.1, 0], atol=0.07)
    assert critic.value(OBSERVATION, ACTION).tolist() == [[2.0]] * 5  # the mean


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"critic": "redq", "num_soft_q_nets": 3, "min_over": 4},
            "at least 4, got 3",
        ),
        ({"critic": "redq", "num_soft_q_nets": 1}, "at least 2, got 1"),
        ({"critic": "sac", "min_over": 1}, "agent.critic: redq"),
    ],
)
def test_min_over_that_says_nothing_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_agent(**keys)


def test_value_without_its_column_is_refused() -> None:
    """(B,) against (B, 1) would broadcast to (B, B) and teach every state the others' values."""

    class Flat:
        def soft_value(self, observation: Any, value: Any, alpha: Any) -> Any:
            return torch.zeros(len(observation)), None

    with pytest.raises(AssertionError, match=r"\[5\]"):
        make_critic().loss(transitions(), Flat(), torch.ones(1, 1))


def test_critic_of_ones_own_is_a_line_in_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    class Mean(SoftQCritic):
        def target_value(self, *inputs: torch.Tensor) -> torch.Tensor:
            return self.target_soft_q_nets(*inputs).mean(dim=0)

    known = r"agent\.critic: expected one of sac, redq, .*, got 'mean'"
    with pytest.raises(ConfigError, match=known):
        make_agent(critic="mean")
    monkeypatch.setitem(CRITICS, "mean", Mean)
    agent = make_agent(critic="mean")
    assert type(agent.critic) is Mean
    assert np.isfinite(float(agent.update(make_batch(agent))["q1_loss"]))
