"""Histograms hold what the update computes, and looking changes nothing."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from tensorboard.util import tensor_util

from autograd import Tensor
from sac.agent.agent import SACAgent
from sac.config import AgentConfig
from sac.insight.histograms import BUCKETS, histogram_value, update_values
from sac.replay.batch import Batch
from sac.seeding import Streams
from tests.sac.agents_for_tests import make_agent as make_image_agent
from tests.sac.agents_for_tests import make_batch as make_image_batch
from tests.sac.images_for_tests import IMAGE
from tests.sac.tiny_runs import assert_same_arrays

ACTIONS: dict[str, gymnasium.Space] = {
    "continuous": spaces.Box(-1, 1, (2,), np.float32),
    "discrete": spaces.Discrete(3),
    "many": spaces.Box(-1, 1, (9,), np.float32),
}
SIZE, SEED = 32, 7


def make_agent(actions: str, **config: Any) -> SACAgent:
    observations = spaces.Box(-1, 1, (3,), np.float32)
    return SACAgent(observations, ACTIONS[actions], AgentConfig(hidden_sizes=(8, 4), **config))


def make_batch(agent: SACAgent) -> Batch:
    rng = np.random.default_rng(0)
    codec = agent.action_codec
    continuous = rng.uniform(-1, 1, (SIZE, *codec.shape)).astype(np.float32)
    return Batch(
        observation=rng.normal(size=(SIZE, 3)).astype(np.float32),
        action=rng.integers(3, size=(SIZE, 1)) if codec.bounds is None else continuous,
        reward=rng.normal(size=(SIZE, 1)).astype(np.float32),
        discount=np.float32(0.99) * (rng.random((SIZE, 1)) >= 0.2),
        next_observation=rng.normal(size=(SIZE, 3)).astype(np.float32),
    )


def gradient_of(parameter: Tensor) -> np.ndarray:
    assert parameter.grad is not None
    return parameter.grad.numpy().copy()


def of_layers(agent: SACAgent, what: str) -> dict[str, np.ndarray]:
    """The weights or gradients of each layer, by tag."""
    found = {}
    for names, stack in (
        (["policy"], agent.policy_net.net),
        (["q1", "q2"], agent.critic.soft_q_nets),
    ):
        networks = stack.layers(stack.flat if what == "weights" else stack.flat.grad)
        for name, network in zip(names, networks, strict=True):
            for i, layer in enumerate(network, start=1):
                arrays = [part.numpy().ravel() for part in layer]
                found[f"{what}/{name}_layer_{i}"] = np.concatenate(arrays)
    return found


@pytest.mark.parametrize("actions", ACTIONS)
def test_values_are_those_of_the_update(actions: str) -> None:
    # So small a step of the soft Q networks that the policy's gradient meets them as they were.
    agent = make_agent(actions, normalize_observations=True, soft_q_lr=1e-30)
    batch = make_batch(agent)
    agent.observe(batch.observation)
    for _ in range(3):
        agent.update(batch)
    values = dict(update_values(agent, batch, SEED))
    for name, expected in of_layers(agent, "weights").items():
        np.testing.assert_array_equal(values[name], expected)
    agent.renew_noise(Streams.from_seed(SEED), 0)
    metrics = agent.update(batch)
    for name, expected in of_layers(agent, "gradients").items():
        np.testing.assert_allclose(values[name], expected, rtol=1e-4, atol=1e-6)
    target = metrics["target_q_mean"].numpy()
    np.testing.assert_allclose(values["q/target"], target, atol=1e-5)
    for i in (1, 2):
        q_value = metrics[f"q{i}_mean"].numpy()
        np.testing.assert_allclose(values[f"q/q{i}"], q_value, atol=1e-5)
        np.testing.assert_allclose(values[f"q/q{i}_td_error"], target - q_value, atol=1e-5)


@pytest.mark.parametrize("actions", ACTIONS)
def test_agent_stays_as_it_is(actions: str) -> None:
    agent = make_agent(actions)
    batch = make_batch(agent)
    agent.update(batch)
    before, noise = agent.state_dict(), agent.generator_state()
    gradients = [gradient_of(p) for p in [agent.policy_net.net.flat]]
    list(update_values(agent, batch, SEED))
    assert_same_arrays(before, agent.state_dict())
    assert agent.generator_state() == noise
    for parameter, gradient in zip([agent.policy_net.net.flat], gradients, strict=True):
        np.testing.assert_array_equal(gradient_of(parameter), gradient)


def test_layers_of_an_encoder_are_shown() -> None:
    agent = make_image_agent(observations=IMAGE, random_shift=0)
    batch = make_image_batch(agent)
    values = dict(update_values(agent, batch, SEED))
    agent.renew_noise(Streams.from_seed(SEED), 0)
    losses, _ = agent.losses(batch)
    losses["critic_loss"].backward()
    parameters = list(agent.encoder.parameters())  # weight and bias of five layers
    for i in range(5):
        layer = parameters[2 * i : 2 * i + 2]
        weights = np.concatenate([part.detach().numpy().ravel() for part in layer])
        np.testing.assert_array_equal(values[f"weights/encoder_layer_{i + 1}"], weights)
        gradients = np.concatenate([gradient_of(part).ravel() for part in layer])
        found = values[f"gradients/encoder_layer_{i + 1}"]
        np.testing.assert_allclose(found, gradients, rtol=1e-4, atol=1e-6)
        assert np.abs(gradients).max() > 0


def test_policy_is_shown_by_dimension() -> None:
    agent = make_agent("continuous", log_std_max=-1.0)
    values = dict(update_values(agent, make_batch(agent), SEED))
    assert {tag for tag in values if tag.startswith("policy/")} == {
        "policy/action/0",
        "policy/action/1",
        "policy/log_std/0",
        "policy/log_std/1",
    }
    assert np.abs(values["policy/action/1"]).max() <= 1
    assert values["policy/log_std/0"].shape == (SIZE,)
    assert values["policy/log_std/0"].max() == -1  # clamped, as the policy does


@pytest.mark.parametrize(
    ("actions", "tags"),
    [
        ("many", {"policy/action/all", "policy/log_std/all"}),
        ("discrete", {"policy/action", "policy/logit"}),
    ],
)
def test_other_policies_are_shown_in_two(actions: str, tags: set[str]) -> None:
    agent = make_agent(actions)
    values = dict(update_values(agent, make_batch(agent), SEED))
    assert {tag for tag in values if tag.startswith("policy/")} == tags


def buckets(values: list[float]) -> np.ndarray:
    return tensor_util.make_ndarray(histogram_value("a", np.array(values)).tensor)


def test_histogram_counts_every_finite_number() -> None:
    left, right, count = buckets([0, 1, 1, 3, np.nan, np.inf]).T
    assert len(count) == BUCKETS and count.sum() == 4
    assert (left[0], right[-1]) == (0, 3)
    np.testing.assert_array_equal(left[1:], right[:-1])
    assert count[0] == count[-1] == 1 and count[10] == 2


@pytest.mark.parametrize(
    "values", [[], [np.nan], [2.0, 2.0], [1e30, np.nextafter(1e30, 2e30)], [0.0, 5e-324]]
)
def test_histogram_of_nothing_and_of_one_number(values: list[float]) -> None:
    drawn = buckets(values)
    assert drawn.shape == (BUCKETS, 3)
    assert drawn[:, 2].sum() == np.isfinite(values).sum()
