"""The update against one written out by hand: losses, gradients, steps, targets, temperature."""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import autograd as torch
from sac.agent.agent import SACAgent
from sac.config import AgentConfig
from sac.replay.batch import Batch
from tests.sac.agents_for_tests import gradient as gradient_of
from tests.sac.reference_update import Layers, Update, gradient

BATCH, FEATURES, ACTIONS = 8, 3, 2
OBSERVATIONS = spaces.Box(-1, 1, (FEATURES,), np.float32)
SPACES = {
    "continuous": spaces.Box(-2, 2, (ACTIONS,), np.float32),
    "discrete": spaces.Discrete(4, start=1),
}
CONFIG = AgentConfig(hidden_sizes=(5, 4), gamma=0.9, tau=0.1, initial_alpha=0.3)


@pytest.fixture(params=["continuous", "discrete"])
def agent(request: pytest.FixtureRequest, device: str) -> SACAgent:
    return SACAgent(OBSERVATIONS, SPACES[request.param], CONFIG, seed=3, device=device)


def make_batch(agent: SACAgent, seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    if agent.action_codec.bounds is None:
        action = rng.integers(0, 4, (BATCH, 1))
    else:
        action = rng.uniform(-1, 1, (BATCH, ACTIONS)).astype(np.float32)
    return Batch(
        observation=rng.standard_normal((BATCH, FEATURES)).astype(np.float32),
        action=action,
        reward=rng.standard_normal((BATCH, 1)).astype(np.float32),
        discount=np.float32(CONFIG.gamma) * (np.arange(BATCH)[:, None] % 3 != 0),
        next_observation=rng.standard_normal((BATCH, FEATURES)).astype(np.float32),
    )


def layers(stack: Any, flat: Any = None) -> list[Layers]:
    """Weights and biases of each network, or parts of their gradient, in float64."""
    return [
        [
            (layer.weight.numpy(force=True).astype("f8"), layer.bias.numpy(force=True).astype("f8"))
            for layer in network
        ]
        for network in stack.layers(flat)
    ]


def close_layers(actual: Layers, loss: Callable[[], float], by_hand: Layers) -> None:
    """Compare gradients with numerical ones."""
    for given, arrays in zip(actual, by_hand, strict=True):
        for gradient_given, array in zip(given, arrays, strict=True):
            close(gradient_given, gradient(loss, array))


def reference(agent: SACAgent, batch: Batch) -> Update:
    """The update by hand, from the agent's weights and the noise that it is about to draw."""
    next_noise = noise = None
    if agent.action_codec.bounds is not None:
        generator = copy.deepcopy(agent.policy_net.noise)
        next_noise, noise = (
            torch.randn(BATCH, ACTIONS, generator=generator, device=agent.device)
            .cpu().numpy().astype(np.float64)
            for _ in range(2)
        )  # fmt: skip
    fields = {
        name: array if array.dtype == np.int64 else array.astype(np.float64)
        for name, array in batch.arrays().items()
    }
    return Update(
        policy=layers(agent.policy_net.net)[0],
        soft_q=layers(agent.critic.soft_q_nets),
        target_soft_q=layers(agent.critic.target_soft_q_nets),
        alpha=CONFIG.initial_alpha,
        batch=fields,
        next_noise=next_noise,
        noise=noise,
    )


def close(actual: Any, expected: np.ndarray, tolerance: float = 2e-4) -> None:
    is_tensor = isinstance(actual, torch.Tensor)
    array = actual.detach().cpu().numpy() if is_tensor else np.asarray(actual)
    np.testing.assert_allclose(array, expected, rtol=tolerance, atol=tolerance * 0.1)


def test_losses_and_gradients_of_the_soft_q_networks(agent: SACAgent) -> None:
    batch = make_batch(agent)
    by_hand = reference(agent, batch)
    metrics = agent.update(batch)
    close(metrics["target_q_mean"], by_hand.target())
    nets = agent.critic.soft_q_nets
    gradients = layers(nets, nets.flat.grad)
    for i, (given, layers_by_hand) in enumerate(zip(gradients, by_hand.soft_q, strict=True)):
        close(metrics[f"q{i + 1}_loss"], np.array(by_hand.q_loss(layers_by_hand)))
        close(metrics[f"q{i + 1}_mean"], by_hand.q_value(layers_by_hand))
        target = by_hand.target()

        def loss(net_by_hand: Layers = layers_by_hand, target: np.ndarray = target) -> float:
            return float(0.5 * ((by_hand.q_value(net_by_hand) - target) ** 2).mean())

        close_layers(given, loss, layers_by_hand)


def test_loss_and_gradients_of_the_policy_use_the_soft_q_networks_after_their_step(
    agent: SACAgent,
) -> None:
    batch = make_batch(agent)
    by_hand = reference(agent, batch)
    metrics = agent.update(batch)
    by_hand.soft_q = layers(agent.critic.soft_q_nets)
    close(metrics["policy_loss"], np.array(by_hand.policy_loss()))
    close(metrics["entropy"], by_hand.entropy())
    net = agent.policy_net.net
    close_layers(layers(net, net.flat.grad)[0], by_hand.policy_loss, by_hand.policy)


def test_adam_takes_its_first_step_with_each_networks_own_rate(agent: SACAgent) -> None:
    agent.policy_optimizer.param_groups[0]["lr"] = 0.01
    leaves = (agent.policy_net.net.flat, 0.01), (agent.critic.soft_q_nets.flat, 3e-4)
    before = [leaf.detach().clone() for leaf, _ in leaves]
    agent.update(make_batch(agent))
    for (now, rate), was in zip(leaves, before, strict=True):
        g = gradient_of(now).astype(np.float64)
        # After bias correction the first moments are g and g^2 (Kingma & Ba 2015).
        close(now, was.cpu().numpy() - rate * g / (np.abs(g) + 1e-8), 1e-3)


def test_the_temperature_steps_on_the_entropy_of_before(agent: SACAgent) -> None:
    batch = make_batch(agent)
    metrics = agent.update(batch)
    temperature = agent.temperature
    error = float(metrics["entropy"].mean()) - temperature.target_entropy
    close(temperature.log_alpha.grad, np.array([[error]]))
    close(metrics["alpha_loss"], np.array(np.log(CONFIG.initial_alpha) * error))
    assert float(metrics["alpha"]) == pytest.approx(CONFIG.initial_alpha)  # the one that was used
    expected = np.log(CONFIG.initial_alpha) - CONFIG.alpha_lr * np.sign(error)
    close(temperature.log_alpha, np.array([[expected]]))


def test_targets_move_by_tau_to_the_networks_after_their_step(agent: SACAgent) -> None:
    target, online = agent.critic.target_soft_q_nets.flat, agent.critic.soft_q_nets.flat
    for seed in range(3):
        was = target.numpy(force=True).copy()
        agent.update(make_batch(agent, seed))
        expected = 0.9 * was + 0.1 * online.numpy(force=True)
        np.testing.assert_allclose(target.cpu().numpy(), expected, rtol=1e-5, atol=1e-7)


def test_gradients_reach_nothing_but_what_is_learned(agent: SACAgent) -> None:
    agent.update(make_batch(agent))
    target = agent.critic.target_soft_q_nets.flat
    assert target.grad is None and not target.requires_grad
    assert agent.critic.soft_q_nets.flat.requires_grad


def test_many_updates_stay_in_float32_and_finite(agent: SACAgent) -> None:
    for seed in range(20):
        metrics = agent.update(make_batch(agent, seed))
    arrays = agent.state_dict()
    floats = [a for name, a in arrays.items() if a.dtype.kind == "f"]
    assert {a.dtype for a in floats} == {np.dtype(np.float32)}
    assert all(np.isfinite(a).all() for a in floats)
    tensors = [v for v in metrics.values() if isinstance(v, torch.Tensor)]
    assert {t.dtype for t in tensors} == {torch.float32}
