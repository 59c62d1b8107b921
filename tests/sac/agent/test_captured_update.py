"""The update as a program: the same bits as with the engine, and what it must not miss."""

import copy
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd.engine import apply as engine
from sac.agent.agent import SACAgent
from sac.errors import DivergenceError
from sac.seeding import Streams
from tests.sac.agent.test_variants import VARIANTS, learn
from tests.sac.agents_for_tests import assert_same_bits, gradient, make_agent, make_batch

UPDATES = 4


def plain_and_captured(actions: str = "continuous", **keys: Any) -> tuple[SACAgent, SACAgent]:
    """Two agents that are equal, the second with a program."""
    plain, captured = make_agent(actions, **keys), make_agent(actions, **keys)
    plain._captured_step = plain._step_all  # type: ignore[assignment]
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
    assert agent._captured_step.reason == ""
    assert None not in agent._captured_step.programs.values()
    return len(agent._captured_step.programs)


@pytest.mark.parametrize(("actions", "keys", "device"), VARIANTS, indirect=["device"])
def test_every_variant_learns_by_a_program(actions: str, keys: dict[str, Any], device: str) -> None:
    plain, captured = plain_and_captured(actions, device=device, **keys)
    assert_same(plain, captured)
    assert programs(captured) == 1
    for one, other in zip(plain.policy_parameters, captured.policy_parameters, strict=True):
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
        for optimizer in agent.optimizers():
            optimizer.param_groups[0]["lr"] = 0.1
    assert_same(plain, captured)


def test_frozen_parameters_stay() -> None:
    plain, captured = plain_and_captured()
    for agent in (plain, captured):
        agent.soft_q_parameters[0].requires_grad = False
    before = captured.soft_q_parameters[0].numpy().copy()
    assert_same(plain, captured)
    np.testing.assert_array_equal(captured.soft_q_parameters[0].numpy(), before)
    assert programs(captured) == 2


def test_hooks_are_called() -> None:
    _, captured = plain_and_captured()
    seen: list[Any] = []
    captured.policy_parameters[0].register_hook(seen.append)
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
    copied.soft_q_nets.register_forward_pre_hook(lambda *parts: seen.append(parts))
    learn(captured), learn(copied)
    assert len(seen) == 2


def test_divergence_is_told_with_its_update_and_before_a_step() -> None:
    _, captured = plain_and_captured()
    batch = make_batch(captured)
    batch.reward[0] = np.nan
    before = captured.state_dict()
    number = captured.updates + 1
    with pytest.raises(DivergenceError, match=f"soft Q network 1 was nan in update {number};"):
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
