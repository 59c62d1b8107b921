"""Pitfalls that show only in a whole training: what is stored, counted, seeded and carried on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

import autograd as torch
from sac import Config, SACAgent, train
from sac.replay.batch import Batch
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from tests.sac.agents_for_tests import assert_same_bits
from tests.sac.environments_for_tests import (
    CountingEnv,
    CountingVectorEnv,
    episode_length,
    is_terminating,
)
from tests.sac.tiny_runs import saved_arrays


class Float64Env(CountingEnv):
    """Gives observations and rewards in float64, and takes actions in it."""

    def __init__(self) -> None:
        super().__init__(action_space=spaces.Box(-0.1, 0.3, (1,), np.float64))
        self.observation_space = spaces.Box(-np.inf, np.inf, (4,), np.float64)
        self.buffer = np.zeros(4, np.float64)


class Spy:
    """Remembers the batches of all updates, and the agent's state before the first."""

    def __init__(self) -> None:
        self.agents: list[SACAgent] = []
        self.batches: list[Batch] = []
        self.first_state: dict[str, np.ndarray] = {}
        self.explored = 0


@pytest.fixture
def spy(monkeypatch: pytest.MonkeyPatch) -> Spy:
    spy, update, explore = Spy(), SACAgent.update, SACAgent.explore

    def watched_update(agent: SACAgent, batch: Batch) -> Any:
        if agent not in spy.agents:
            spy.agents.append(agent)
            spy.first_state = agent.state_dict()
        spy.batches.append(batch.map(np.copy))
        return update(agent, batch)

    def watched_explore(agent: SACAgent, observations: np.ndarray) -> np.ndarray:
        spy.explored += len(observations)
        return explore(agent, observations)

    monkeypatch.setattr(SACAgent, "update", watched_update)
    monkeypatch.setattr(SACAgent, "explore", watched_explore)
    return spy


def configure(root: Path, **changes: Any) -> Config:
    """Give a run of 40 transitions, the first 8 of them random."""
    train_keys = {"total_steps": 40, "learning_starts": 8, "batch_size": 16, "buffer_size": 100}
    data: dict[str, Any] = {
        "agent": {"hidden_sizes": [8], "normalize_observations": True},
        "train": train_keys,
        "evaluation": {"every_steps": 0, "episodes": 1},
        "logging": {"root": str(root)},
        "device": "cpu",
    }
    return Config.from_dict(data).merged(changes)


def native(num_envs: int, mode: AutoresetMode) -> Callable[[], CountingVectorEnv]:
    return lambda: CountingVectorEnv(num_envs, mode)


def last_state(run: Path) -> dict[str, np.ndarray]:
    return load_checkpoint(find_checkpoint(run, "last")).tensors["agent"]


SOURCES: dict[str, tuple[Any, int]] = {
    "one": (CountingEnv, 1),
    "four": (CountingEnv, 4),
    "next step": (native(3, AutoresetMode.NEXT_STEP), 3),
    "same step": (native(3, AutoresetMode.SAME_STEP), 3),
    "disabled": (native(3, AutoresetMode.DISABLED), 3),
}


@pytest.mark.parametrize("updates_per_step", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("name", SOURCES)
def test_updates_and_steps_are_counted_per_transition(
    name: str, updates_per_step: float, tmp_path: Path, spy: Spy
) -> None:
    source, num_envs = SOURCES[name]
    changes = {"train": {"updates_per_step": updates_per_step}, "env": {"num_envs": num_envs}}
    result = train(configure(tmp_path, **changes), env=source)
    assert 40 <= result.step < 40 + num_envs
    stored = last_state(result.run_directory)["observation_input.count"]
    assert stored == result.step
    expected = (result.step - 8) * updates_per_step
    assert len(spy.batches) == pytest.approx(expected, abs=1)
    assert all(len(batch.reward) == 16 for batch in spy.batches)


@pytest.mark.parametrize("name", SOURCES)
def test_the_update_gets_true_transitions(name: str, tmp_path: Path, spy: Spy) -> None:
    source, num_envs = SOURCES[name]
    train(configure(tmp_path, env={"num_envs": num_envs}), env=source)
    seen = set()
    for batch in spy.batches:
        columns = batch.observation, batch.reward, batch.discount, batch.next_observation
        for observation, reward, discount, successor in zip(*columns, strict=True):
            seed, episode, count, total = (int(x) for x in observation)
            assert (int(reward[0]), successor.tolist()) == (
                count + 1,
                [seed, episode, count + 1, total + 1],
            )
            is_over = count + 1 == episode_length(episode)
            terminated = is_over and is_terminating(episode)
            assert discount[0] == (0 if terminated else np.float32(0.99))
            seen.add((is_over, terminated))
    assert seen == {(False, False), (True, False), (True, True)}  # truncated ones are bootstrapped


def test_every_update_draws_its_own_batch(tmp_path: Path, spy: Spy) -> None:
    train(configure(tmp_path, train={"updates_per_step": 3.0}), env=CountingEnv)
    drawn = {batch.observation.tobytes() + batch.action.tobytes() for batch in spy.batches}
    assert len(drawn) == len(spy.batches) == 96


def test_float64_of_the_environment_goes_no_further(tmp_path: Path, spy: Spy) -> None:
    result = train(configure(tmp_path), env=Float64Env)
    arrays = [array for batch in spy.batches for array in batch.arrays().values()]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}
    checkpoint = load_checkpoint(find_checkpoint(result.run_directory, "last"))
    statistics = {"observation_input.mean", "observation_input.squares", "observation_input.count"}
    for name, array in checkpoint.tensors["agent"].items():
        assert (array.dtype == np.float64) == (name in statistics), name
    replay = saved_arrays(result.run_directory, "replay")
    assert {replay["observation"].dtype, replay["action"].dtype} == {np.dtype(np.float32)}
    assert SACAgent.load(result.run_directory).act(np.zeros(4)).dtype == np.float64


def test_the_updates_actions_are_those_of_the_policy_not_of_the_environment(
    tmp_path: Path, spy: Spy
) -> None:
    envs: list[CountingEnv] = []

    def make() -> CountingEnv:
        envs.append(CountingEnv(action_space=spaces.Box(90.0, 110.0, (1,), np.float32)))
        return envs[-1]

    train(configure(tmp_path), env=make)
    stored = {float(action) for batch in spy.batches for action in batch.action.ravel()}
    assert max(map(abs, stored)) <= 1
    taken = {float(action[0]) for env in envs for action in env.actions}
    assert all(min(abs(100 + 10 * a - t) for t in taken) < 1e-3 for a in stored)


def test_evaluations_disturb_nothing(tmp_path: Path, spy: Spy) -> None:
    states, batches = [], []
    for every_steps in (0, 7):
        spy.batches = []
        config = configure(tmp_path, evaluation={"every_steps": every_steps, "episodes": 2})
        states.append(last_state(train(config, env=CountingEnv).run_directory))
        batches.append(spy.batches)
    assert_same_bits(*states)
    for first, second in zip(*batches, strict=True):
        assert_same_bits(first.arrays(), second.arrays())


def test_evaluation_takes_the_deterministic_actions(tmp_path: Path, spy: Spy) -> None:
    train(configure(tmp_path, evaluation={"every_steps": 7, "episodes": 2}), env=CountingEnv)
    assert spy.explored == 40 - 8  # one for each transition after the random ones, none elsewhere


@pytest.mark.parametrize("actions", [spaces.Box(-1.0, 1.0, (1,)), spaces.Discrete(3)])
def test_same_seed_same_bits_whatever_the_default_generators_are(
    actions: spaces.Space, tmp_path: Path
) -> None:
    states = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        before = torch.get_rng_state().tolist(), repr(np.random.get_state())
        result = train(configure(tmp_path), env=lambda: CountingEnv(action_space=actions))
        states.append(last_state(result.run_directory))
        after = torch.get_rng_state().tolist(), repr(np.random.get_state())
        assert before == after
    assert_same_bits(*states)


def test_another_seed_gives_another_training(tmp_path: Path, spy: Spy) -> None:
    for seed in (0, 1):
        train(configure(tmp_path, seed=seed), env=CountingEnv)
    first, second = spy.batches[0], spy.batches[len(spy.batches) // 2]
    assert (first.observation != second.observation).any()
    assert not set(first.action.ravel()) & set(second.action.ravel())


def test_no_two_episodes_of_a_training_have_the_same_seed(tmp_path: Path) -> None:
    seeds: list[int | None] = []

    class Recorder(CountingEnv):
        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            seeds.append(seed)
            return super().reset(seed=seed, options=options)

    train(configure(tmp_path, env={"num_envs": 3}), env=Recorder)
    assert len(seeds) > 10
    assert None not in seeds
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("actions", [spaces.Box(-1.0, 1.0, (1,)), spaces.Discrete(3)])
def test_a_resumed_run_goes_on_and_starts_nothing_anew(
    actions: spaces.Space, tmp_path: Path, spy: Spy
) -> None:
    def make() -> CountingEnv:
        return CountingEnv(action_space=actions)

    run = train(configure(tmp_path), env=make).run_directory
    saved = last_state(run)
    assert (len(spy.batches), spy.explored) == (32, 32)
    train(None, env=make, resume=run, overrides={"train": {"total_steps": 60}})
    first = spy.first_state
    assert first.pop("observation_input.count") == saved.pop("observation_input.count") + 1
    statistics = {"observation_input.mean", "observation_input.squares"}  # saw the step before
    assert_same_bits(
        {name: array for name, array in first.items() if name not in statistics},
        {name: array for name, array in saved.items() if name not in statistics},
    )
    assert (len(spy.batches), spy.explored) == (52, 52)  # no second warm-up
    state = last_state(run)
    assert state["updates"] == state["policy_optimizer.0.step"] == 52
    assert state["alpha_optimizer.0.step"] == state["critic_optimizer.0.step"] == 52
    assert state["observation_input.count"] == 60
