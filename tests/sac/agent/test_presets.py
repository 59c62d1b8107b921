"""One contract for every preset, and its update against one written out in NumPy float64."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import autograd as torch
from sac.agent.agent import SACAgent
from sac.config import AgentConfig, Config
from sac.config.shipped import PRESETS, names
from sac.diagnosis.networks import hidden_layers, min_q
from sac.export import export
from sac.export.reader import NumpyPolicy
from sac.insight.histograms import update_values
from sac.insight.recording import record_update
from sac.replay.batch import Batch
from sac.run.checkpoint import save_checkpoint
from tests.sac import family_reference as by_hand
from tests.sac.agents_for_tests import OBSERVATIONS, assert_same_bits, make_batch, run_as_written
from tests.sac.reference_update import squashed_gaussian

NAMES = names(PRESETS)
ACTIONS = spaces.Box(-2.0, 2.0, (2,), np.float32)
UPDATES = 4


def small(preset: str, **changes: Any) -> AgentConfig:
    """A preset's agent, with networks of a few units."""
    config = Config.from_dict({"preset": preset}).agent
    critic = config.critic_hidden_sizes
    sizes: dict[str, Any] = {
        "hidden_sizes": [8] * len(config.hidden_sizes),
        "critic_hidden_sizes": None if critic is None else [12] * len(critic),
        "num_quantiles": 5,
        "drop_quantiles": min(config.drop_quantiles, 1),
        "num_atoms": 11,
    }
    return replace(config, **{**sizes, **changes})


def make(preset: str, *, compile: str = "never", device: str = "cpu", **changes: Any) -> SACAgent:
    config = small(preset, **changes)
    return SACAgent(OBSERVATIONS, ACTIONS, config, seed=3, device=device, compile=compile)


def learn(agent: SACAgent, first: int = 0, updates: int = UPDATES) -> list[dict[str, Any]]:
    metrics = []
    for seed in range(first, first + updates):
        batch = make_batch(agent, seed)
        agent.observe(batch.observation)
        agent.observe_returns(batch.reward[:, 0])
        metrics.append(agent.update(batch))
    return metrics


@pytest.mark.parametrize("preset", NAMES)
def test_same_seed_same_bits_and_what_is_saved_goes_on(preset: str) -> None:
    agent, twin = make(preset), make(preset)
    before = agent.state_dict()
    learn(agent), learn(twin)
    after = agent.state_dict()
    assert_same_bits(twin.state_dict(), after)
    same = [name for name, array in before.items() if np.array_equal(array, after[name])]
    delayed = agent.config.policy_delay > UPDATES
    assert not [n for n in same if not (delayed and n.startswith(("policy_net", "temperature")))]
    other = SACAgent(OBSERVATIONS, ACTIONS, agent.config, seed=4, compile="never")
    other.load_state_dict(after)
    other.load_generator_state(agent.generator_state())
    for each in (agent, other):
        learn(each, first=UPDATES)
    assert_same_bits(other.state_dict(), agent.state_dict())


@pytest.mark.parametrize("preset", NAMES)
def test_captured_repeats_what_is_written(preset: str) -> None:
    captured, written = make(preset, policy_delay=2), make(preset, policy_delay=2)
    run_as_written(written)
    written._repeated_critic = lambda: written._learn_critic  # type: ignore[method-assign]
    for agent in (captured, written):
        learn(agent, updates=6)
    assert_same_bits(captured.state_dict(), written.state_dict())
    for repeater in (captured._repeater, captured._critic_repeater):
        assert repeater.captured is not None and repeater.captured.reason == ""


@pytest.mark.parametrize("preset", NAMES)
def test_compiled_agrees_with_numpy(preset: str) -> None:
    plain = make(preset, policy_delay=2)
    compiled = make(preset, policy_delay=2, compile="auto")
    if compiled.compilation.compiler is None:
        pytest.skip("there is no compiler here")
    start = plain.state_dict()
    for seed in range(3):
        # From the same weights each time: Adam's first steps turn rounding into signs.
        compiled.load_weights(start)
        plain.load_weights(start)
        for one, other in zip(learn(plain, seed, 1), learn(compiled, seed, 1), strict=True):
            for name, value in one.items():
                np.testing.assert_allclose(other[name], value, rtol=2e-5, atol=2e-5, err_msg=name)
    left = compiled.compilation.compiler.left
    ours = ("sort", "take", "fmin")  # the last is erf's
    assert all(any(name in line for name in ours) for line in left), left


@pytest.mark.parametrize("preset", NAMES)
def test_device_learns_it(preset: str, device: str) -> None:
    agent, twin = (make(preset, device=device, policy_delay=1) for _ in range(2))
    learn(agent, updates=2), learn(twin, updates=2)
    state = agent.state_dict()
    assert_same_bits(twin.state_dict(), state)
    assert all(np.isfinite(array).all() for array in state.values())


@pytest.mark.parametrize("preset", NAMES)
def test_histograms_graph_and_doctor_look_without_a_trace(preset: str) -> None:
    agent = make(preset)
    learn(agent, updates=3)
    batch, before = make_batch(agent), agent.state_dict()
    drawn = str(agent.generator_state())
    tags = [tag for tag, values in update_values(agent, batch, 3) if np.isfinite(values).all()]
    assert {"q/target", "q/q1", "q/q1_td_error", "weights/q1_layer_1"} <= set(tags)
    for whole in (False, True):
        assert set(record_update(agent, 4, whole=whole).losses) >= {"critic_loss", "policy_loss"}
    assert all((x >= 0).all() for _, x in hidden_layers(agent, batch))  # what relu gave
    assert min_q(agent, batch.observation, batch.action).shape == (8,)
    assert_same_bits(agent.state_dict(), before)
    assert str(agent.generator_state()) == drawn


@pytest.mark.parametrize("preset", NAMES)
def test_exported_policy_acts_as_the_agent(preset: str, tmp_path: Path) -> None:
    agent = make(preset, policy_delay=1)
    learn(agent, updates=20)  # so that running statistics are no longer those of the start
    tensors, documents = {"policy": agent.policy_state_dict()}, {"policy": agent.description()}
    save_checkpoint(tmp_path / "checkpoint", tensors, documents, step=5)
    export(tmp_path / "checkpoint", tmp_path / "policy.safetensors")
    observations = np.random.default_rng(0).normal(size=(9, 3)).astype(np.float32)
    actions = NumpyPolicy(tmp_path / "policy.safetensors")(observations)
    np.testing.assert_allclose(actions, agent.act(observations, deterministic=True), atol=1e-5)
    assert np.abs(agent.act(observations[0]) - actions[0]).max() < 4  # one observation acts, too


@pytest.mark.parametrize("preset", NAMES)
def test_learns_where_the_action_should_go(preset: str) -> None:
    """Rewards are those of single steps: minus the distance from an action that states tell."""
    rates: dict[str, Any] = {name: 1e-2 for name in ("policy_lr", "soft_q_lr", "alpha_lr")}
    agent = make(preset, policy_delay=1, normalize_rewards=False, compile="auto", **rates)
    rng, size = np.random.default_rng(0), 64
    # Two narrow layers whose weights have norm 1 take longer.
    for _ in range(600 if preset == "xqc" else 200):
        observation = rng.uniform(-1, 1, (size, 3)).astype(np.float32)
        action = rng.uniform(-1, 1, (size, 2)).astype(np.float32)
        error = np.abs(action - wanted(observation)).mean(1, keepdims=True)
        agent.observe(observation)
        agent.update(
            Batch(
                observation=observation,
                action=action,
                reward=-error.astype(np.float32),
                discount=np.zeros((size, 1), np.float32),
                next_observation=observation,
            )
        )
    observation = rng.uniform(-1, 1, (256, 3)).astype(np.float32)
    assert np.abs(agent.greedy(observation) - wanted(observation)).mean() < 0.33  # untrained: 0.5


def wanted(observation: np.ndarray) -> np.ndarray:
    return 0.5 * np.sign(observation[:, :1]) * np.ones(2)


# -- by hand ------------------------------------------------------------------------------

FORWARD: dict[str, Callable[..., np.ndarray]] = {
    "redq": by_hand.plain,
    "droq": by_hand.with_layer_norm,
    "tqc": by_hand.plain,
    "crossq": by_hand.with_batch_norm,
    "crossq_small": by_hand.with_batch_norm,
    "crossq_wn": by_hand.with_batch_norm,
    "simba": by_hand.simba,
    "xqc": by_hand.with_batch_norm,
    "flashsac": by_hand.flashsac,
    "bro": by_hand.simba,
    "hl_gauss": by_hand.plain,
}
POLICY = FORWARD | {"droq": by_hand.plain}


class Reference:
    """The first update of an agent, from its weights and the noise that it is about to draw."""

    def __init__(self, preset: str, agent: SACAgent, batch: Batch) -> None:
        config = agent.config
        self.config, self.state = config, agent.state_dict()
        self.is_joint = "batch" in config.critic_norm or config.network == "flashsac"
        self.forward, self.policy = FORWARD[preset], POLICY[preset]
        generator = copy.deepcopy(agent.policy_net.noise)
        draws = [torch.randn(8, 2, generator=generator).numpy() for _ in range(2)]
        self.next_noise, self.noise = (draw.astype(np.float64) for draw in draws)
        choice = copy.deepcopy(agent.critic.noise)
        self.choices = torch.rand(config.num_soft_q_nets, generator=choice).numpy()
        arrays = {name: a.astype(np.float64) for name, a in batch.arrays().items()}
        self.s, self.s2 = (
            agent.observation_input.array(arrays[name].astype(np.float32)).astype(np.float64)
            for name in ("observation", "next_observation")
        )
        self.a, self.discount = arrays["action"], arrays["discount"]
        self.reward = arrays["reward"] * agent.reward_factor
        self.alpha = float(agent.temperature.alpha)
        self.low, self.high = config.log_std_min, config.log_std_max

    def sample(self, s: np.ndarray, noise: np.ndarray, *, by_batch: bool) -> Any:
        net = by_hand.nets_of(self.state, "policy_net.net.layers.")
        outputs = self.policy(net, s, by_batch=by_batch)
        outputs[:, 2:] = np.clip(outputs[:, 2:], self.low, self.high)
        return squashed_gaussian(outputs, noise)

    def outputs(self, which: str, *pairs: Any, by_batch: bool) -> np.ndarray:
        """The outputs of all networks, (networks, rows, n)."""
        x = np.concatenate([np.concatenate(pair, 1) for pair in pairs])
        prefixes = [f"{which}.{i}.net.layers." for i in range(self.config.num_soft_q_nets)]
        nets = [by_hand.nets_of(self.state, prefix) for prefix in prefixes]
        return np.stack([self.forward(net, x, by_batch=by_batch) for net in nets])

    def losses(self) -> tuple[list[float], np.ndarray]:
        """The loss of each network, and the targets as values."""
        a2, log_prob = self.sample(self.s2, self.next_noise, by_batch=False)
        before = [(self.s, self.a)] if self.is_joint else []
        targets = "soft_q_nets" if self.config.critic == "crossq" else "target_soft_q_nets"
        n = len(self.s) if self.is_joint else 0
        after = self.outputs(targets, *before, (self.s2, a2), by_batch=True)[:, n:]
        joint = [(self.s, self.a), *([(self.s2, a2)] if self.is_joint else [])]
        learned = self.outputs("soft_q_nets", *joint, by_batch=True)[:, : len(self.s)]

        def backed_up(values: np.ndarray) -> np.ndarray:
            return self.reward + self.discount * (values - self.alpha * log_prob)

        if self.config.critic == "tqc":
            kept = (5 - self.config.drop_quantiles) * self.config.num_soft_q_nets
            pooled = np.sort(np.concatenate(list(after), 1), axis=1)[:, :kept]
            samples = backed_up(pooled)
            losses = [by_hand.quantile_loss(net, samples) for net in learned]
            return losses, samples.mean(1, keepdims=True)
        if self.config.critic == "categorical":
            atoms = np.linspace(-self.config.value_bound, self.config.value_bound, 11)
            shares = by_hand.softmax(after)
            best = (shares * atoms).sum(2).argmin(0)
            chosen = shares[best, np.arange(len(best))]
            target = by_hand.projected(chosen, backed_up(atoms[None]), atoms)
            losses = [by_hand.cross_entropy(net, target) for net in learned]
            return losses, (target * atoms).sum(1, keepdims=True)
        if self.config.critic == "hl_gauss":
            edges = np.linspace(-self.config.value_bound, self.config.value_bound, 12)
            target = backed_up(by_hand.mean_of_bins(after, edges).min(0))
            shares = by_hand.gaussian_shares(target, edges)
            return [by_hand.cross_entropy(net, shares) for net in learned], target
        target = backed_up(self.lowest(after))
        return [float(((net - target) ** 2).mean() / 2) for net in learned], target

    def lowest(self, after: np.ndarray) -> np.ndarray:
        if self.config.critic != "redq":
            return after.min(0)
        return after[np.argsort(self.choices)[:2]].min(0)

    def policy_loss(self) -> float:
        action, log_prob = self.sample(self.s, self.noise, by_batch=True)
        outputs = self.outputs("soft_q_nets", (self.s, action), by_batch=False)
        if self.config.critic == "tqc":
            value = outputs.mean(2, keepdims=True).mean(0)
        elif self.config.critic == "redq":
            value = outputs.mean(0)
        elif self.config.critic == "categorical":
            atoms = np.linspace(-self.config.value_bound, self.config.value_bound, 11)
            value = (by_hand.softmax(outputs) * atoms).sum(2, keepdims=True).min(0)
        elif self.config.critic == "hl_gauss":
            edges = np.linspace(-self.config.value_bound, self.config.value_bound, 12)
            value = by_hand.mean_of_bins(outputs, edges).min(0)
        else:
            value = outputs.min(0)
        return float((self.alpha * log_prob - value).mean())


@pytest.mark.parametrize("preset", NAMES)
def test_update_is_the_one_written_by_hand(preset: str) -> None:
    agent = make(preset, policy_delay=1, critic_dropout=0.0)
    learn(agent, updates=2)  # so that targets and running statistics differ from the start
    batch = make_batch(agent, 9)
    reference = Reference(preset, agent, batch)
    metrics = agent.update(batch)
    losses, target = reference.losses()
    for i, loss in enumerate(losses, start=1):
        assert float(metrics[f"q{i}_loss"]) == pytest.approx(loss, rel=2e-4)
    np.testing.assert_allclose(metrics["target_q_mean"].numpy(), target, rtol=2e-4, atol=2e-4)
    # The policy climbs the networks after their step; its own statistics are those of before.
    own = {n: a for n, a in reference.state.items() if n.startswith("policy_net")}
    reference.state = agent.state_dict() | own
    by_policy = reference.policy_loss()
    assert float(metrics["policy_loss"]) == pytest.approx(by_policy, rel=2e-4, abs=2e-4)


@pytest.mark.parametrize("preset", NAMES)
def test_weights_scale_losses_and_errors_are_those_of_values(preset: str) -> None:
    """What prioritised replay asks of a critic."""
    agent, plain = (make(preset, policy_delay=1, critic_dropout=0.0) for _ in range(2))
    batch = make_batch(agent)
    halved = replace(batch, weight=np.full((8, 1), 0.5, np.float32))
    weighted, unweighted = agent.update(halved), plain.update(batch)
    for i in range(1, agent.config.num_soft_q_nets + 1):
        loss = float(unweighted[f"q{i}_loss"])
        assert float(weighted[f"q{i}_loss"]) == pytest.approx(loss / 2, rel=1e-5)
    target = weighted["target_q_mean"].numpy()
    values = [weighted[f"q{i}_mean"].numpy() for i in range(1, agent.config.num_soft_q_nets + 1)]
    expected = np.abs(np.stack(values) - target).mean(0)
    np.testing.assert_allclose(weighted["td_error"].numpy(), expected, rtol=1e-5, atol=1e-6)
