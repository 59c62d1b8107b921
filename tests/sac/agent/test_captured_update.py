"""The update as a program: the same bits as with the engine, and what it must not miss."""

import copy
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd.engine import apply as engine
from autograd.generator import from_numpy_generator
from sac.agent.agent import SACAgent
from sac.config import AgentConfig
from sac.critics.soft_q import SoftQCritic
from sac.errors import ConfigError, DivergenceError
from sac.seeding import Streams
from tests.sac import agents_for_tests
from tests.sac.agent.test_variants import VARIANTS, learn
from tests.sac.agents_for_tests import (
    assert_same_bits,
    gradient,
    make_batch,
    run_as_written,
)

UPDATES = 4
# Programs that NumPy runs: tests/autograd/compiled has those that are compiled.
make_agent = functools.partial(agents_for_tests.make_agent, compile="never")


def plain_and_captured(actions: str = "continuous", **keys: Any) -> tuple[SACAgent, SACAgent]:
    """Two agents that are equal, the second with a program."""
    plain, captured = make_agent(actions, **keys), make_agent(actions, **keys)
    run_as_written(plain)
    learn(plain), learn(captured)
    return plain, captured


def assert_same(plain: SACAgent, captured: SACAgent, first: int = 10) -> None:
    """The agents go on with the same bits, and the second by its program."""
    seen = [learn(agent, first, UPDATES) for agent in (plain, captured)]
    assert_same_bits(captured.state_dict(), plain.state_dict())
    for one, other in zip(*seen, strict=True):
        assert list(one) == list(other)
        for name, value in one.items():
            np.testing.assert_array_equal(
                *(v.numpy(force=True) if hasattr(v, "numpy") else v for v in (other[name], value))
            )


def programs(agent: SACAgent) -> int:
    """How many programs the agent has; none of its updates was refused one."""
    captured = agent._repeater.captured
    assert captured is not None and captured.reason == ""
    assert None not in captured.programs.values()
    return len(captured.programs)


@pytest.mark.parametrize(("actions", "keys", "device"), VARIANTS, indirect=["device"])
def test_every_variant_learns_by_a_program(actions: str, keys: dict[str, Any], device: str) -> None:
    plain, captured = plain_and_captured(actions, device=device, **keys)
    assert_same(plain, captured)
    assert programs(captured) == 1
    for one, other in zip([plain.policy_net.net.flat], [captured.policy_net.net.flat], strict=True):
        np.testing.assert_array_equal(gradient(one), gradient(other))


def test_program_leaves_out_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = make_agent()
    learn(agent)
    monkeypatch.setattr(engine, "record", None)
    learn(agent)


def test_batches_of_other_sizes_have_other_programs() -> None:
    plain, captured = plain_and_captured()
    for agent in (plain, captured):
        for size in (8, 3, 8, 3, 1):
            agent.update(make_batch(agent, size, size))
    assert_same(plain, captured)
    assert programs(captured) == 3


def weighted_updates(agent: SACAgent) -> list[np.ndarray]:
    """The TD errors of updates on batches with weights."""
    errors = []
    for seed in range(UPDATES):
        weight = np.random.default_rng(seed).random((8, 1), np.float32)
        metrics = agent.update(dataclasses.replace(make_batch(agent, seed), weight=weight))
        errors.append(metrics["td_error"].numpy(force=True).copy())
    assert errors[0].shape == (8, 1)
    return errors


@pytest.mark.parametrize("device", ["cpu", "standin"], indirect=True)
@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_weights_are_part_of_a_program(actions: str, device: str) -> None:
    plain, captured = plain_and_captured(actions, device=device)
    np.testing.assert_array_equal(weighted_updates(captured), weighted_updates(plain))
    assert_same(plain, captured)
    assert programs(captured) == 2


@pytest.mark.parametrize("actions", ["continuous", "discrete"])
def test_weights_are_part_of_a_compiled_program(actions: str) -> None:
    try:
        agents = [make_agent(actions, compile=mode) for mode in ("never", "always")]
        assert agents[1].compilation.compiler is not None
    except ConfigError as error:
        pytest.skip(str(error))
    errors = [weighted_updates(agent) for agent in agents]
    np.testing.assert_allclose(errors[1], errors[0], rtol=1e-4, atol=1e-5)
    assert programs(agents[1]) == 1


def test_program_goes_on_with_what_is_loaded() -> None:
    plain, captured = plain_and_captured()
    other = make_agent(seed=5)
    learn(other)
    for agent in (plain, captured):
        agent.load_state_dict(other.state_dict())
        agent.load_generator_state(other.generator_state())
    assert_same(plain, captured)
    assert programs(captured) == 1


def test_program_draws_from_renewed_noise() -> None:
    plain, captured = plain_and_captured()
    for agent in (plain, captured):
        agent.renew_noise(Streams.from_seed(1), 2)
    assert_same(plain, captured)


def test_program_keeps_to_a_new_learning_rate() -> None:
    plain, captured = plain_and_captured()
    for agent in (plain, captured):
        for optimizer in agent.optimizers().values():
            optimizer.param_groups[0]["lr"] = 0.1
    assert_same(plain, captured)


def test_hooks_are_called() -> None:
    _, captured = plain_and_captured()
    seen: list[Any] = []
    captured.policy_net.net.flat.register_hook(seen.append)
    learn(captured)
    assert len(seen) == 2


def test_hooks_of_modules_are_called() -> None:
    _, captured = plain_and_captured()
    seen: list[Any] = []
    handle = captured.policy_net.net.register_forward_hook(lambda *parts: seen.append(parts))
    learn(captured)
    assert len(seen) == 4  # at the next observation and at the observation, twice
    handle.remove()
    learn(captured)
    assert len(seen) == 4


def test_copy_keeps_to_its_own_hooks() -> None:
    _, captured = plain_and_captured()
    copied = copy.deepcopy(captured)
    seen: list[Any] = []
    copied.critic.soft_q_nets.register_forward_pre_hook(lambda *parts: seen.append(parts))
    learn(captured), learn(copied)
    assert len(seen) == 4  # for the loss and for the policy, twice


def test_divergence_is_told_with_its_update_and_before_a_step() -> None:
    _, captured = plain_and_captured()
    batch = make_batch(captured)
    batch.reward[0] = np.nan
    before = captured.state_dict()
    number = captured.updates + 1
    with pytest.raises(DivergenceError, match=f"q1_loss was nan in update {number};"):
        captured.update(batch)
    assert_same_bits(captured.state_dict(), before)
    assert torch.is_grad_enabled()


def test_copy_has_a_program_of_its_own() -> None:
    plain, captured = plain_and_captured()
    copied = copy.deepcopy(captured)
    before = captured.state_dict()
    assert_same(plain, copied)
    assert_same_bits(captured.state_dict(), before)
    assert programs(copied) == 1


class EveryOther(SACAgent):
    """A variant as a user writes one: the policy learns in every second update only."""

    def _step(self, part: Any, *optimizers: Any) -> dict[str, Any]:
        if self.policy_optimizer not in optimizers or self.updates % 2:
            return super()._step(part, *optimizers)
        metrics: dict[str, Any] = part[1]
        return metrics


class Claimed(SACAgent):
    """A variant that says that it does the same in every update."""

    is_repeatable = True


def built(kind: type[SACAgent]) -> SACAgent:
    one = make_agent()
    return kind(one.observation_encoder.space, one.action_codec.space, one.config)


def test_subclass_runs_as_it_is_written_unless_it_says_that_it_can_be_repeated() -> None:
    agent = built(EveryOther)
    moved = []
    for seed in range(6):
        before = agent.policy_net.net.flat.detach().clone()
        agent.update(make_batch(agent, seed))
        moved.append(bool((agent.policy_net.net.flat != before).any()))
    assert moved == [False, True] * 3
    assert agent._repeater.captured is None
    other = built(Claimed)
    learn(other)
    assert programs(other) == 1


def test_part_of_a_subclass_runs_as_it_is_written() -> None:
    class Undecided(SoftQCritic):
        calls = 0

        def value(self, *inputs: torch.Tensor) -> torch.Tensor:
            Undecided.calls += 1
            return super().value(*inputs)

    agent = make_agent()
    agent.critic.__class__ = Undecided
    learn(agent, updates=5)
    assert Undecided.calls == 5


def test_random_choices_of_redq_are_repeated_by_the_program() -> None:
    keys: dict[str, Any] = {"critic": "redq", "num_soft_q_nets": 5}
    plain, captured = plain_and_captured(**keys)
    assert_same(plain, captured)
    assert programs(captured) == 1


def test_another_optimizer_is_the_one_that_steps() -> None:
    agent = make_agent()
    learn(agent)
    agent.policy_optimizer = torch.optim.SGD(agent.policy_net.parameters(), lr=0.0)
    before = agent.policy_net.net.flat.detach().clone()
    learn(agent)
    assert (agent.policy_net.net.flat == before).all()


def test_other_settings_are_refused_after_building() -> None:
    agent = make_agent()
    with pytest.raises(AttributeError, match="build another SACAgent"):
        agent.config = AgentConfig(gamma=0.5)


def noise() -> torch.Generator:
    return from_numpy_generator(np.random.default_rng(7))


CHANGES: dict[str, Callable[[SACAgent], Any]] = {
    "tau": lambda a: setattr(a.critic, "tau", 0.5),
    "target entropy": lambda a: setattr(a.temperature, "target_entropy", -7.0),
    "clamp": lambda a: setattr(a.policy_net, "log_std_max", -1.0),
    "noise": lambda a: setattr(a.policy_net, "noise", noise()),
    "activation": lambda a: setattr(a.critic.soft_q_nets, "activation", "tanh"),
    "targets": lambda a: setattr(
        a.critic, "target_soft_q_nets", copy.deepcopy(a.critic.soft_q_nets).requires_grad_(False)
    ),
    "log alpha": lambda a: setattr(
        a.temperature, "log_alpha", torch.nn.Parameter(torch.tensor([[0.3]]))
    ),
    "entropy in targets": lambda a: setattr(a.critic, "has_entropy_in_target", False),
    "evaluation mode": lambda a: a.policy_net.eval(),
    "method": lambda a: setattr(a.critic, "follow", lambda: None),
    "own loss": lambda a: setattr(
        a, "_policy_loss", lambda *parts: type(a)._policy_loss(a, *parts)
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change_of_an_attribute_counts_from_the_next_update_on(name: str) -> None:
    plain, captured = plain_and_captured()
    learn(captured), learn(plain)
    for agent in (plain, captured):
        CHANGES[name](agent)
    assert_same(plain, captured)


def test_schedule_of_the_learning_rate_leaves_the_program() -> None:
    plain, captured = plain_and_captured()
    for agent in (plain, captured):
        schedule = torch.optim.lr_scheduler.LambdaLR(agent.critic.optimizer, lambda i: 0.5**i)
        for seed in range(3):
            agent.update(make_batch(agent, seed))
            schedule.step()
    assert_same(plain, captured)
    assert programs(captured) == 1


class EveryOtherStep(torch.optim.Adam):
    """An optimizer as a user writes one."""

    calls = 0

    def step(self, closure: Any = None) -> Any:
        self.calls += 1
        return super().step(closure) if self.calls % 2 else None


class Counting(torch.nn.MLPStack):
    """A network as a user writes one."""

    calls = 0

    def forward(self, *inputs: Any, **options: Any) -> Any:
        self.calls += 1
        return super().forward(*inputs, **options) * float(self.calls % 2)


def test_optimizer_of_ones_own_runs_as_it_is_written() -> None:
    agent = make_agent()
    agent.critic.optimizer = EveryOtherStep([agent.critic.soft_q_nets.flat], lr=0.1)
    moved = []
    for seed in range(4):
        before = agent.critic.soft_q_nets.flat.detach().clone()
        agent.update(make_batch(agent, seed))
        moved.append(bool((agent.critic.soft_q_nets.flat != before).any()))
    assert moved == [True, False, True, False]


def test_network_of_ones_own_runs_as_it_is_written() -> None:
    agent = make_agent()
    net = agent.policy_net.net
    net.__class__ = Counting
    learn(agent, updates=5)
    assert net.calls == 10  # for the target and for the policy's loss
