"""Compiled updates: what NumPy's are, for every variant, and the same bits wherever they run."""

import copy
import os
import pickle
import platform
import threading
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

import autograd as torch
from autograd.compiled import Compiler, Library, build, schedule
from sac.agent.agent import SACAgent
from sac.errors import DivergenceError
from sac.replay.batch import Batch
from tests.autograd.compiled.drivers import all_threads, library
from tests.sac.agents_for_tests import assert_same_bits, make_agent, make_batch

UPDATES = 3
TASKS = Path("/proc/self/task")  # the threads of this process, where they are told
VARIANTS: dict[str, tuple[dict[str, Any], int]] = {  # with the size of a batch
    "plain": ({}, 64),
    "one transition": ({"num_soft_q_nets": 1}, 1),
    "odd widths, fixed alpha": ({"hidden_sizes": (33, 17), "alpha": 0.2}, 7),
    "one layer": ({"hidden_sizes": (40,), "reward_scale": 2.0}, 100),
    "three layers and networks": ({"hidden_sizes": (12, 13, 14), "num_soft_q_nets": 3}, 64),
    "no layer": ({"hidden_sizes": ()}, 64),
    "no layer, one network": ({"hidden_sizes": (), "num_soft_q_nets": 1}, 7),
    "redq": ({"critic": "redq", "num_soft_q_nets": 5}, 64),
    "redq, smallest": ({"critic": "redq", "num_soft_q_nets": 3, "min_over": 1}, 7),
    "no entropy in targets": ({"entropy_in_target": False}, 100),
    "clipped": ({"hidden_sizes": (65, 1), "max_grad_norm": 0.1}, 64),
    "normalized": ({"normalize_observations": True}, 7),
    **{
        name: ({"activation": name, "hidden_sizes": (64, 16)}, 64)
        for name in ("tanh", "elu", "gelu", "silu", "leaky_relu")
    },
    "large": ({"hidden_sizes": (256, 256)}, 256),
}
ACTIONS = ("continuous", "discrete")


def compiled_agent(actions: str = "continuous", threads: int = 1, **keys: Any) -> SACAgent:
    """An agent whose updates run in kernels, on a given number of threads."""
    return with_threads(make_agent(actions, compile="always", **keys), threads)


def with_threads(agent: SACAgent, threads: int) -> SACAgent:
    compiler = Compiler(library(), threads)
    agent.compilation.__dict__["_choice"] = compiler, ""
    return agent


def compiler_of(agent: SACAgent) -> Compiler:
    """The agent's compiler, which has compiled something."""
    captured = agent._repeater.captured
    assert captured is not None and captured.reason == ""
    assert all("run(" in ((p and p.__doc__) or "") for p in captured.programs.values())
    assert agent.compilation.compiler is not None
    return agent.compilation.compiler


def batch_of(agent: SACAgent, seed: int, size: int, *, is_weighted: bool = False) -> Batch:
    batch = make_batch(agent, seed, size)
    weight = np.random.default_rng(seed).random((size, 1), np.float32)
    return replace(batch, weight=weight) if is_weighted else batch


def learn(agent: SACAgent, updates: int = UPDATES, size: int = 64, first: int = 0) -> None:
    for seed in range(first, first + updates):
        agent.update(batch_of(agent, seed, size))


def gradients(agent: SACAgent) -> dict[str, Any]:
    return {
        f"{name} {i}": parameter.grad
        for name, optimizer in agent.optimizers().items()
        for group in optimizer.param_groups
        for i, parameter in enumerate(group["params"])
    }


def numbers(value: Any) -> np.ndarray:
    return np.asarray(value.numpy() if hasattr(value, "numpy") else value, np.float64)


def assert_close(ours: Any, theirs: Any, name: str) -> None:
    expected = numbers(theirs)
    largest = np.abs(expected).max(initial=1e-30)
    np.testing.assert_allclose(numbers(ours), expected, rtol=0, atol=1e-5 * largest, err_msg=name)


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize(("keys", "size"), VARIANTS.values(), ids=VARIANTS)
def test_losses_and_gradients_are_numpys(actions: str, keys: dict[str, Any], size: int) -> None:
    compiled, plain = compiled_agent(actions, **keys), make_agent(actions, compile="never", **keys)
    for is_weighted in (False, True):
        for seed in range(UPDATES):
            batch = batch_of(plain, seed, size, is_weighted=is_weighted)
            ours, theirs = compiled.update(batch), plain.update(batch)
            assert list(ours) == list(theirs)
            for name, value in theirs.items():
                assert_close(ours[name], value, name)
            found = gradients(compiled)
            for name, gradient in gradients(plain).items():
                assert_close(found[name], gradient, name)
    compiler_of(compiled)


BATCH_NORM = {"critic": "crossq", "critic_norm": "batch", "policy_norm": "batch"}


@pytest.mark.parametrize("column", ["observation", "action", "reward", "discount"])
@pytest.mark.parametrize("keys", [{}, BATCH_NORM, {"max_grad_norm": 1.0}])
def test_column_of_float64_is_learned_as_numpy_does(keys: dict[str, Any], column: str) -> None:
    """The kernels are for float32: what they can't do is NumPy's, to the last statistic."""
    library()
    compiled, plain = make_agent(compile="auto", **keys), make_agent(compile="never", **keys)
    for seed in range(UPDATES):
        batch = batch_of(plain, seed, 16)
        batch = replace(batch, **{column: getattr(batch, column).astype(np.float64)})
        ours, theirs = compiled.update(batch), plain.update(batch)
        for name, value in theirs.items():
            assert_close(ours[name], value, name)
    expected = plain.state_dict()
    for name, array in compiled.state_dict().items():
        if "running" in name:
            assert_close(array, expected[name], name)
    assert compiled.updates == plain.updates == UPDATES


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("is_weighted", [False, True])
@pytest.mark.parametrize(
    "keys", [{}, {"max_grad_norm": 1.0}, {"num_soft_q_nets": 3}, {"activation": "tanh"}]
)
def test_nothing_is_left_to_numpy(actions: str, is_weighted: bool, keys: dict[str, Any]) -> None:
    agent = compiled_agent(actions, **keys)
    agent.update(batch_of(agent, 0, 64, is_weighted=is_weighted))
    assert compiler_of(agent).left == []


@pytest.mark.parametrize("actions", ACTIONS)
def test_bits_do_not_depend_on_threads(actions: str) -> None:
    states = []
    for threads in (1, 2, 3):
        agent = compiled_agent(actions, threads, hidden_sizes=(256, 256))
        with all_threads():
            learn(agent, 20, 256)
        states.append(agent.state_dict())
        compiler_of(agent)
    assert_same_bits(states[1], states[0])
    assert_same_bits(states[2], states[0])


# Flags of other instruction sets, with the width of vectors that they need and that they give.
HALVES, WHOLE = ("-D__znver4__=1",), ("-U__znver3__", "-U__znver4__")  # Zen 4's tiles, and others
WIDTHS: dict[str, tuple[Sequence[str], int, int]] = {
    "tiles of halves": (HALVES, 16, 16),
    "whole tiles": (WHOLE, 16, 16),
    "AVX2": (("-march=haswell",), 8, 8),
}
WIDE_KEYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "rows": {"critic_norm": "layer", "critic_dropout": 0.1, "max_grad_norm": 1.0},
    "columns": {"critic": "crossq", "critic_norm": "batch", "policy_norm": "batch"},
    "quantiles": {"critic": "tqc", "num_soft_q_nets": 3},
}


@pytest.fixture(params=WIDTHS)
def other_kernels(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Library:
    """The kernels for other instructions that this processor has, too."""
    flags, needed, lanes = WIDTHS[request.param]
    if library().lanes < needed or platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("this processor does not have these instructions")
    kernels = kernels_by(flags, tmp_path, monkeypatch)
    assert kernels.lanes == lanes
    return kernels


def kernels_by(flags: Sequence[str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.setattr(build, "FLAGS", (*build.FLAGS, *flags))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return Library(str(build.shared_library()))


def test_bits_do_not_depend_on_the_width_of_vectors_and_tiles(other_kernels: Library) -> None:
    for keys in WIDE_KEYS.values():
        one, two = (compiled_agent(hidden_sizes=(50, 37), **keys) for _ in range(2))
        two.compilation.__dict__["_choice"] = Compiler(other_kernels), ""
        for agent in (one, two):
            learn(agent, 5, 70)
            compiler_of(agent)
        assert_same_bits(two.state_dict(), one.state_dict())


def test_vectors_of_4_learn_as_numpy_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without FMA, so not to the bit."""
    library()
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("this processor does not have these instructions")
    kernels = kernels_by(("-march=x86-64",), tmp_path, monkeypatch)
    assert kernels.lanes == 4
    for keys in WIDE_KEYS.values():
        plain = make_agent(hidden_sizes=(50, 37), compile="never", **keys)
        agent = compiled_agent(hidden_sizes=(50, 37), **keys)
        agent.compilation.__dict__["_choice"] = Compiler(kernels), ""
        batch = batch_of(plain, 0, 70)
        ours, theirs = agent.update(batch), plain.update(batch)
        for name, value in theirs.items():
            assert_close(ours[name], value, name)
        expected = gradients(plain)
        for name, gradient in gradients(agent).items():
            assert_close(gradient, expected[name], name)


def test_bits_do_not_depend_on_parts() -> None:
    states = []
    for work in (2**60, schedule.WORK_OF_A_PART, 1):
        agent = compiled_agent(threads=2)
        with all_threads(), patch.multiple(schedule, WORK_OF_A_PART=work, ROWS=1):
            learn(agent, 10)
        states.append(agent.state_dict())
    assert_same_bits(states[1], states[0])
    assert_same_bits(states[2], states[0])


def test_agents_in_two_threads_do_not_disturb_each_other() -> None:
    def agents() -> list[SACAgent]:
        keys: dict[str, Any] = {"hidden_sizes": (64, 64)}
        return [compiled_agent(actions, 2, **keys) for actions in ACTIONS]

    with all_threads(), patch.multiple(schedule, WORK_OF_A_PART=1, ROWS=1):
        alone, together = agents(), agents()
        for agent in alone:
            learn(agent, 30)
        threads = [threading.Thread(target=learn, args=(agent, 30)) for agent in together]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for one, other in zip(together, alone, strict=True):
        assert one.updates == 30
        assert_same_bits(one.state_dict(), other.state_dict())


@pytest.mark.parametrize("widths", [(8, 8), (256, 256)])
def test_results_of_an_update_stay_what_they_are(widths: tuple[int, int]) -> None:
    agent = compiled_agent(hidden_sizes=widths)
    kept: list[tuple[Any, np.ndarray]] = []
    for seed in range(4):
        metrics = agent.update(make_batch(agent, seed))
        values = [*metrics.values(), *gradients(agent).values()]
        kept += [(v, v.numpy().copy()) for v in values if hasattr(v, "numpy")]
    for tensor, as_it_was in kept:
        np.testing.assert_array_equal(tensor.numpy(), as_it_was)


# -- what changes between updates -------------------------------------------------------------


def load(agent: SACAgent) -> None:
    other = make_agent(compile="never", seed=7)
    learn(other)
    agent.load_state_dict(other.state_dict())


def replace_moments(agent: SACAgent) -> None:
    for optimizer in agent.optimizers().values():
        for state in optimizer.state.values():
            state["exp_avg"] = torch.full_like(state["exp_avg"], 0.1)
            state["step"] = torch.tensor(9.0)


def change_rates(agent: SACAgent) -> None:
    for optimizer in agent.optimizers().values():
        optimizer.param_groups[0].update(lr=0.01, eps=1e-3, betas=(0.5, 0.9))


def schedule_rates(agent: SACAgent) -> None:
    for optimizer in agent.optimizers().values():
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 0.5**n)
        optimizer.step()
        scheduler.step()


def use_amsgrad(agent: SACAgent) -> None:
    for optimizer in agent.optimizers().values():
        optimizer.param_groups[0]["amsgrad"] = True
        optimizer.state.clear()


def find_inf(agent: SACAgent) -> None:
    agent.policy_optimizer.found_inf = torch.tensor(1.0)


def replace_parameters(agent: SACAgent) -> None:
    agent.policy_net.net.flat.data = agent.policy_net.net.flat.detach() * 1.5


CHANGES = [
    load, replace_moments, change_rates, schedule_rates, use_amsgrad, find_inf, replace_parameters,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_changes_between_updates_are_seen(change: Callable[[SACAgent], None]) -> None:
    compiled, plain = compiled_agent(), make_agent(compile="never")
    for agent in (compiled, plain):
        learn(agent)
        change(agent)
        learn(agent, first=10)
    for name, array in plain.state_dict().items():
        assert_close(compiled.state_dict()[name], array, name)


INJURIES: dict[str, Callable[[SACAgent, Batch], Any]] = {
    "reward": lambda agent, batch: batch.reward.__setitem__(3, np.inf),
    "observation": lambda agent, batch: batch.observation.__setitem__((2, 1), np.nan),
    "policy": lambda agent, batch: agent.policy_net.net.flat.data.fill_(np.nan),
    "critic": lambda agent, batch: next(iter(agent.critic.parameters())).data.fill_(3e38),
}  # fmt: skip


@pytest.mark.parametrize("actions", ACTIONS)
@pytest.mark.parametrize("injure", INJURIES.values(), ids=INJURIES)
@pytest.mark.parametrize("entropy_in_target", [True, False])
def test_divergence_is_told_as_by_numpy_and_before_the_step(
    actions: str, injure: Callable[[SACAgent, Batch], Any], entropy_in_target: bool
) -> None:
    told = []
    keys: dict[str, Any] = {"entropy_in_target": entropy_in_target}
    for agent in (compiled_agent(actions, **keys), make_agent(actions, compile="never", **keys)):
        learn(agent)
        batch = make_batch(agent, 9, 64)
        injure(agent, batch)
        before = agent.state_dict()
        with pytest.raises(DivergenceError, match=f"in update {UPDATES + 1};") as caught:
            agent.update(batch)
        told.append(caught.value.quantity)
        assert_same_bits(agent.state_dict(), before)
        assert agent.updates == UPDATES
    assert told[0] == told[1]


# -- copies -----------------------------------------------------------------------------------


def pickled(agent: SACAgent) -> SACAgent:
    return pickle.loads(pickle.dumps(agent))


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_copy_goes_on_with_the_same_bits(copied: Callable[[SACAgent], SACAgent]) -> None:
    agent = compiled_agent(threads=2)
    learn(agent)
    other = with_threads(copied(agent), 1)
    for each in (agent, other):
        learn(each, first=10)
        compiler_of(each)
    assert_same_bits(other.state_dict(), agent.state_dict())
    learn(other)
    assert any((other.state_dict()[n] != a).any() for n, a in agent.state_dict().items())


def test_loaded_agent_goes_on_with_the_same_bits() -> None:
    agent = compiled_agent(threads=2)
    learn(agent)
    other = compiled_agent(seed=8)
    other.load_state_dict(agent.state_dict())
    other.load_generator_state(agent.generator_state())
    for each in (agent, other):
        learn(each, first=10)
    assert_same_bits(other.state_dict(), agent.state_dict())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_child_of_a_fork_has_threads_of_its_own() -> None:
    with all_threads(), patch.multiple(schedule, WORK_OF_A_PART=1, ROWS=1):
        agent = compiled_agent(threads=2)
        learn(agent)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that there are threads is what is tested
            child = os.fork()
        if not child:
            try:
                learn(agent, 10, first=10)
                expected = compiled_agent()
                learn(expected)
                learn(expected, 10, first=10)
                assert_same_bits(agent.state_dict(), expected.state_dict())
                assert not TASKS.exists() or len(list(TASKS.iterdir())) > 1
                os._exit(0)
            finally:
                os._exit(1)
        learn(agent, first=10)
        assert os.waitpid(child, 0)[1] == 0
