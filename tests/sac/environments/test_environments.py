"""Environments in every vectorization and autoreset mode, held against ones that count."""

import functools
import multiprocessing
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from sac.config import EnvConfig, WrapperConfig
from sac.environments import Step, VectorEnvironment, make_vector_environment, separate_source
from sac.environments.stepping.workers import close_workers
from sac.errors import ConfigError, EnvironmentSetupError, EnvironmentStepError, SpaceError
from sac.terminal.interrupt import SIGNALS
from tests.sac.environments_for_tests import (
    COUNTING,
    NATIVE,
    TROUBLE,
    CopyingCountingEnv,
    CountingEnv,
    CountingVectorEnv,
    TroubleEnv,
    episode_length,
    is_terminating,
)

MODES = list(AutoresetMode)
THIS_MODULE = "tests.sac.environments_for_tests"


def sync_vector(num_envs: int, mode: AutoresetMode) -> VectorEnv:
    reuses_buffer = mode is not AutoresetMode.SAME_STEP
    env = CountingEnv if reuses_buffer else CopyingCountingEnv
    return SyncVectorEnv([env] * num_envs, copy=False, autoreset_mode=mode)


def async_vector(num_envs: int, mode: AutoresetMode) -> VectorEnv:
    env = CountingEnv if mode is not AutoresetMode.SAME_STEP else CopyingCountingEnv
    return AsyncVectorEnv([env] * num_envs, copy=False, context="forkserver", autoreset_mode=mode)


def native_vector(num_envs: int, mode: AutoresetMode) -> VectorEnv:
    return CountingVectorEnv(num_envs, mode)


@pytest.fixture
def opened() -> Iterator[list[VectorEnvironment]]:
    """Environments put into this list are closed after the test."""
    environments: list[VectorEnvironment] = []
    yield environments
    for environment in environments:
        environment.close()


def configured(opened: list[VectorEnvironment], **keys: Any) -> VectorEnvironment:
    seed = keys.pop("seed", None)
    opened.append(make_vector_environment(EnvConfig(**keys), seed=seed))
    return opened[-1]


def from_source(
    opened: list[VectorEnvironment], source: Any, seed: int | None = None, **keys: Any
) -> VectorEnvironment:
    opened.append(make_vector_environment(EnvConfig(**keys), source=source, seed=seed))
    return opened[-1]


def check_transitions(environment: VectorEnvironment, vector_steps: int, seed: int) -> int:
    """Step, and hold everything given against the rules of the counting environments."""
    num_envs = environment.num_envs
    observation = environment.reset(seed)
    np.testing.assert_array_equal(observation, [[seed + i, 0, 0, 0] for i in range(num_envs)])
    totals = np.zeros(num_envs, int)
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    for _ in range(vector_steps):
        step = environment.step(np.ones((num_envs, 1), np.float32))
        assert step.reward.dtype == np.float32
        assert step.terminated.dtype == step.truncated.dtype == step.valid.dtype == np.bool_
        assert step.observation.dtype == step.next_observation.dtype == np.float32
        finished = {episode.env_index: episode for episode in step.episodes}
        for i in range(num_envs):
            if step.valid[i]:
                totals[i] += 1
                check_transition(observation[i], step, i, totals[i], seed + i)
            is_end = step.valid[i] and (step.terminated[i] or step.truncated[i])
            assert (i in finished) == is_end
            if is_end:
                length = int(step.next_observation[i, 2])
                assert finished[i].length == length
                assert finished[i].episode_return == length * (length + 1) / 2
        kept.append((step.observation, step.observation.copy()))
        kept.append((step.next_observation, step.next_observation.copy()))
        observation = step.observation
    for given, copy in kept:  # nothing given changed while the environments went on
        np.testing.assert_array_equal(given, copy)
    return int(totals.sum())


def check_transition(before: np.ndarray, step: Step, i: int, total: int, seed: int) -> None:
    episode, count = int(before[1]), int(before[2])
    is_over = count + 1 == episode_length(episode)
    np.testing.assert_array_equal(before, [seed, episode, count, total - 1])
    np.testing.assert_array_equal(step.next_observation[i], [seed, episode, count + 1, total])
    assert step.reward[i] == count + 1
    assert step.terminated[i] == (is_over and is_terminating(episode))
    assert step.truncated[i] == (is_over and not is_terminating(episode))
    if not is_over:
        np.testing.assert_array_equal(step.observation[i], step.next_observation[i])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("make", [sync_vector, native_vector])
def test_each_mode_gives_true_transitions(
    make: Any, num_envs: int, mode: AutoresetMode, opened: list[VectorEnvironment]
) -> None:
    env = make(num_envs, mode)
    opened.append(VectorEnvironment(env))
    transitions = check_transitions(opened[-1], 41, seed=5)
    assert transitions == sum(single.steps_in_all for single in env.envs)
    if mode is AutoresetMode.NEXT_STEP:
        assert transitions < 41 * num_envs
    else:
        assert transitions == 41 * num_envs


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_gives_true_transitions_from_processes(
    mode: AutoresetMode, opened: list[VectorEnvironment]
) -> None:
    env = async_vector(2, mode)
    opened.append(VectorEnvironment(env))
    transitions = check_transitions(opened[-1], 41, seed=5)
    assert transitions == sum(env.get_attr("steps_in_all"))  # type: ignore[attr-defined]


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_ids_give_true_transitions(vectorization: Any, opened: list[VectorEnvironment]) -> None:
    environment = configured(opened, id=COUNTING, num_envs=3, vectorization=vectorization)
    assert check_transitions(environment, 41, seed=7) == 3 * 41  # no step is lost on resets


@pytest.mark.parametrize("mode", MODES)
def test_native_entry_points_give_true_transitions(
    mode: AutoresetMode, opened: list[VectorEnvironment]
) -> None:
    environment = configured(
        opened, id=NATIVE, num_envs=3, vectorization="native", kwargs={"mode": mode.value}
    )
    check_transitions(environment, 41, seed=7)


def test_statistics_start_anew_with_a_reset(opened: list[VectorEnvironment]) -> None:
    for mode in MODES:
        environment = VectorEnvironment(native_vector(2, mode))
        opened.append(environment)
        check_transitions(environment, 3, seed=0)  # leaves episodes, and resets, unfinished
        environment.reset()
        action = np.zeros((2, 1), np.float32)
        episodes = [e for _ in range(9) for e in environment.step(action).episodes]
        assert {(e.episode_return, e.length) for e in episodes} <= {(1, 1), (3, 2), (6, 3), (10, 4)}


@pytest.mark.parametrize("given", ["NextStep", "SameStep", "Disabled", "NEXT_STEP"])
def test_mode_may_be_given_by_name(given: str) -> None:
    env = CountingVectorEnv(2)
    env.metadata = {"autoreset_mode": given}
    assert VectorEnvironment(env).num_envs == 2


@pytest.mark.parametrize("mode", [None, "whenever"])
def test_an_unknown_autoreset_mode_is_refused(mode: str | None) -> None:
    env = CountingVectorEnv(2)
    env.metadata = {} if mode is None else {"autoreset_mode": mode}
    with pytest.raises(EnvironmentSetupError, match=r"AutoresetMode\.NEXT_STEP.*autoreset_mode"):
        VectorEnvironment(env)


def test_same_step_without_last_observations_is_refused() -> None:
    env = CountingVectorEnv(2, AutoresetMode.SAME_STEP, final_key="something")
    environment = VectorEnvironment(env)
    environment.reset(0)
    with pytest.raises(EnvironmentSetupError, match="final_obs"):
        environment.step(np.zeros((2, 1), np.float32))


class DictCountingEnv(gymnasium.ObservationWrapper):
    """Shows the step under two keys, one with an underscore."""

    def __init__(self) -> None:
        super().__init__(CopyingCountingEnv())
        box = gymnasium.spaces.Box(0.0, 100.0, (1,))
        parts = {"_count": box, "discrete": gymnasium.spaces.Discrete(9)}
        self.observation_space = gymnasium.spaces.Dict(parts)

    def observation(self, observation: np.ndarray) -> dict[str, Any]:
        return {"_count": observation[2:3], "discrete": int(observation[2])}


@pytest.mark.parametrize("mode", MODES)
def test_dict_observations_keep_their_last_one(mode: AutoresetMode) -> None:
    environment = VectorEnvironment(SyncVectorEnv([DictCountingEnv] * 2, autoreset_mode=mode))
    environment.reset(0)
    seen = []
    for _ in range(12):
        step = environment.step(np.zeros((2, 1), np.float32))
        for i in np.flatnonzero(step.valid):
            count = step.next_observation[i, 0]
            np.testing.assert_array_equal(step.next_observation[i, 1:], np.eye(9)[int(count)])
            np.testing.assert_array_equal(step.reward[i], count)
        seen += [step.next_observation[e.env_index, 0] for e in step.episodes]
    assert seen[:6] == [1, 1, 4, 4, 2, 2]


def test_seeds_differ_between_environments_and_repeat(opened: list[VectorEnvironment]) -> None:
    keys: dict[str, Any] = {"id": "Pendulum-v1", "num_envs": 3}
    first = configured(opened, seed=11, **keys)
    again = configured(opened, seed=11, **keys)
    other = configured(opened, seed=12345, **keys)
    actions = np.full((3, 1), 0.5, np.float32)
    start = first.reset()
    assert len(np.unique(start, axis=0)) == 3
    np.testing.assert_array_equal(start, again.reset())
    assert not np.isin(other.reset(), start).any()
    for _ in range(201):  # over the end of the episodes, where nobody gives a seed
        np.testing.assert_array_equal(
            first.step(actions).observation, again.step(actions).observation
        )
    assert not np.array_equal(first.reset(), start)  # the seed counts for the first reset only


def test_async_episodes_equal_sync_ones(opened: list[VectorEnvironment]) -> None:
    keys: dict[str, Any] = {"id": "CartPole-v1", "num_envs": 2, "seed": 3}
    sync = configured(opened, **keys)
    parallel = configured(opened, vectorization="async", **keys)
    np.testing.assert_array_equal(sync.reset(), parallel.reset())
    for count in range(60):
        actions = np.array([count % 2, 1])
        ours, theirs = sync.step(actions), parallel.step(actions)
        np.testing.assert_array_equal(ours.observation, theirs.observation)
        np.testing.assert_array_equal(ours.next_observation, theirs.next_observation)
        assert ours.episodes == theirs.episodes


# --- ids, keyword arguments, wrappers


def test_kwargs_reach_the_environment(opened: list[VectorEnvironment]) -> None:
    environment = configured(opened, id="Pendulum-v1", kwargs={"g": 0.0, "max_episode_steps": 7})
    environment.reset(0)
    steps = [environment.step(np.zeros((1, 1), np.float32)) for _ in range(7)]
    assert steps[-1].truncated.all()
    np.testing.assert_allclose(steps[0].next_observation[:, 2], steps[5].next_observation[:, 2])


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_wrappers_apply_in_order(vectorization: Any, opened: list[VectorEnvironment]) -> None:
    wrappers = [
        WrapperConfig(f"{THIS_MODULE}.TimesTen", {"offset": 1.0}),
        WrapperConfig("gymnasium.wrappers.RescaleAction", {"min_action": -9, "max_action": 9}),
        WrapperConfig(f"{THIS_MODULE}:TimesTen", {}),
    ]
    environment = configured(opened, id=COUNTING, wrappers=wrappers, vectorization=vectorization)
    environment.reset(0)
    assert isinstance(environment.action_space, gymnasium.spaces.Box)
    assert environment.action_space.high == 9
    assert environment.step(np.ones((1, 1), np.float32)).reward == 110


def test_vector_wrappers_apply_to_native_environments(opened: list[VectorEnvironment]) -> None:
    vector_wrapper = WrapperConfig(
        "gymnasium.wrappers.vector.ClipReward", {"min_reward": 0.25, "max_reward": 0.5}
    )
    environment = configured(opened, id=NATIVE, vectorization="native", wrappers=[vector_wrapper])
    environment.reset(0)
    assert environment.step(np.ones((1, 1), np.float32)).reward == 0.5


@pytest.mark.parametrize(
    ("class_path", "kwargs", "message"),
    [
        ("gymnasium.wrappers.RescaleActon", {}, "nearest names are RescaleAction"),
        ("no_such_module.Wrapper", {}, "no_such_module"),
        ("Wrapper", {}, "package.module.Name"),
        ("gymnasium.wrappers.__name__", {}, "expected a class"),
        ("gymnasium.wrappers.DtypeObservation", {"dtype": {"$dtype": "uint9"}}, "dtype of NumPy"),
        ("gymnasium.wrappers.RescaleAction", {"low": 3}, r"RescaleAction with kwargs .*'low': 3"),
        ("gymnasium.wrappers.vector.ClipReward", {}, "cannot wrap"),
    ],
)
def test_wrong_wrappers_are_named(class_path: str, kwargs: dict[str, Any], message: str) -> None:
    config = EnvConfig(id="Pendulum-v1", wrappers=[WrapperConfig(class_path, kwargs)])
    with pytest.raises(EnvironmentSetupError, match=message):
        make_vector_environment(config)


OUT_OF_DATE = pytest.mark.filterwarnings("ignore:.*is out of date:DeprecationWarning")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"id": "Pendulm-v1"}, "unknown environment 'Pendulm-v1'; the nearest names are Pendulum"),
        ({"id": "pendulum-V1"}, "nearest names are Pendulum-v1"),
        ({"id": "CartPole-v7"}, "nearest names are CartPole-v1"),
        ({"id": "Zzzzzzzz-v0"}, "module:EnvId"),
        pytest.param({"id": "LunarLander-v2"}, "use `LunarLander-v3`", marks=OUT_OF_DATE),
        pytest.param({"id": "HalfCheetah-v2"}, "HalfCheetah-v2.*robotics", marks=OUT_OF_DATE),
        ({"id": "what is this"}, "what is this"),
        ({"id": "no_such_module:Env-v0"}, "'no_such_module' of .*found neither here nor installed"),
        ({"id": "a:b:c"}, "expected EnvId or module:EnvId"),
        ({"id": f"{THIS_MODULE}:Nothing-v0"}, "unknown environment"),
        ({"id": "CartPole-v1", "kwargs": {"speed": 3}}, "env.kwargs: .*'speed'"),
        ({"id": "CartPole-v1", "kwargs": {"num_envs": 3}}, "env.kwargs: num_envs"),
        ({"id": TROUBLE, "kwargs": {"trouble": "constructor"}}, "RuntimeError: no such simulator"),
        ({"id": "Pendulum-v1", "vectorization": "native"}, "vector entry point"),
    ],
)
def test_what_cannot_be_made_is_explained(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(EnvironmentSetupError, match=message):
        make_vector_environment(EnvConfig(**keys))


def test_an_id_is_asked_for() -> None:
    with pytest.raises(ConfigError, match=r"env\.id"):
        make_vector_environment(EnvConfig())


def test_an_atari_id_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EnvironmentSetupError, match=r'pip install -e ".\[atari\]"'):
        make_vector_environment(EnvConfig(id="ALE/Pong-v5"))


@pytest.mark.parametrize(
    ("env_id", "package", "extra"),
    [
        ("LunarLander-v3", "Box2D", "box2d"),
        ("HalfCheetah-v5", "mujoco", "mujoco"),
    ],
)
def test_a_missing_package_names_its_extra(
    env_id: str, package: str, extra: str, tmp_path: Path
) -> None:
    script = f"""
        import sys
        sys.modules[{package!r}] = None  # as if it were not installed
        from sac.config import EnvConfig
        from sac.environments import make_vector_environment
        from sac.errors import EnvironmentSetupError
        try:
            make_vector_environment(EnvConfig(id={env_id!r}))
        except EnvironmentSetupError as error:
            print(error)
    """
    output = run_script(script, tmp_path, tmp_path)
    assert f'pip install -e ".[{extra}]"' in output
    assert env_id in output


def test_a_package_that_is_there_but_broken_says_its_own_reason(tmp_path: Path) -> None:
    """Not that it is missing: installing its extra once more would mend nothing."""
    (tmp_path / "mujoco").mkdir()
    cure = "raise ImportError('the core is missing:\\n  pip install --force-reinstall mujoco-core')"
    (tmp_path / "mujoco" / "__init__.py").write_text(cure)
    script = """
        from sac.config import EnvConfig
        from sac.environments import make_vector_environment
        from sac.errors import EnvironmentSetupError
        try:
            make_vector_environment(EnvConfig(id="HalfCheetah-v5"))
        except EnvironmentSetupError as error:
            print(error)
    """
    output = run_script(script, tmp_path, tmp_path)
    assert "is installed, but can't be imported: ImportError: the core is missing: pip" in output
    assert "[mujoco]" not in output


def run_script(script: str, folder: Path, working_directory: Path) -> str:
    """Run a script from a file, as workers need it; its folder is what Python can import from."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(script))
    result = subprocess.run(
        [sys.executable, str(path)],
        cwd=working_directory,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


MODULE_OF_A_USER = """
import gymnasium
from gymnasium.envs.classic_control import PendulumEnv

class Wrapper(gymnasium.RewardWrapper):
    def reward(self, reward):
        return 5.0

gymnasium.register("Mine-v0", "my_envs:PendulumEnv", max_episode_steps=9)
"""


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_modules_of_the_working_directory_are_found(vectorization: str, tmp_path: Path) -> None:
    (tmp_path / "my_envs.py").write_text(MODULE_OF_A_USER)
    script = f"""
        import numpy as np
        from sac.config import EnvConfig, WrapperConfig
        from sac.environments import make_vector_environment

        if __name__ == "__main__":
            wrapper = WrapperConfig("my_envs.Wrapper", {{}})
            config = EnvConfig(id="my_envs:Mine-v0", num_envs=2, vectorization="{vectorization}",
                               wrappers=[wrapper])
            environment = make_vector_environment(config, seed=1)
            environment.reset()
            print(environment.step(np.zeros((2, 1), np.float32)).reward.sum())
            environment.close()
    """
    (tmp_path / "scripts").mkdir()
    assert run_script(script, tmp_path / "scripts", tmp_path).strip() == "10.0"


# --- environments that the user gives


@pytest.mark.parametrize(
    "source",
    [
        CountingEnv,
        CountingEnv(),
        functools.partial(sync_vector, 3, AutoresetMode.NEXT_STEP),
        sync_vector(2, AutoresetMode.NEXT_STEP),
        CountingVectorEnv(2, AutoresetMode.DISABLED),
        lambda: CountingVectorEnv(4, AutoresetMode.SAME_STEP),
    ],
    ids=["class", "env", "sync maker", "sync", "native", "native maker"],
)
def test_environments_can_be_given(source: Any, opened: list[VectorEnvironment]) -> None:
    check_transitions(from_source(opened, source), 20, seed=3)


class BothEnv(CountingVectorEnv, gymnasium.Env):  # type: ignore[misc]
    """Single and vector environment at once, as EnvPool's are."""


@pytest.mark.parametrize("source", [BothEnv(3), lambda: BothEnv(3)], ids=["object", "callable"])
def test_what_is_both_counts_as_vector(source: Any, opened: list[VectorEnvironment]) -> None:
    assert check_transitions(from_source(opened, source, num_envs=3), 20, seed=3) > 20
    another, _ = separate_source(source)
    assert from_source(opened, another, num_envs=3).num_envs == 3


@pytest.mark.parametrize("vectorization", ["sync", "async"])
def test_a_callable_makes_as_many_as_configured(
    vectorization: Any, opened: list[VectorEnvironment]
) -> None:
    environment = from_source(opened, CountingEnv, num_envs=3, vectorization=vectorization)
    assert environment.num_envs == 3
    assert check_transitions(environment, 20, seed=3) == 60


def test_configured_wrappers_apply_to_given_environments(opened: list[VectorEnvironment]) -> None:
    wrappers = [WrapperConfig(f"{THIS_MODULE}.TimesTen", {})]
    for source in (CountingEnv(), CountingEnv):
        environment = from_source(opened, source, wrappers=wrappers)
        environment.reset(0)
        assert environment.step(np.ones((1, 1), np.float32)).reward == 10


def test_what_the_user_made_stays_open() -> None:
    single, vector, made = CountingEnv(), CountingVectorEnv(2), CountingEnv()
    for source in (single, vector, lambda: made):
        environment = make_vector_environment(EnvConfig(), source=source)
        environment.reset(0)
        environment.close()
    assert not single.is_closed
    assert not vector.envs[0].is_closed
    assert made.is_closed


@pytest.mark.parametrize(
    ("source", "keys", "message"),
    [
        (CountingEnv(), {"num_envs": 2}, "give a callable"),
        (5, {}, "expected a Gymnasium environment"),
        (lambda: 5, {}, "expected the callable to make"),
    ],
)
def test_wrong_sources_are_refused(source: Any, keys: dict[str, Any], message: str) -> None:
    with pytest.raises(EnvironmentSetupError, match=message):
        make_vector_environment(EnvConfig(**keys), source=source)


def test_unsupported_spaces_close_what_was_made() -> None:
    env = CountingEnv(action_space=gymnasium.spaces.Text(2))
    with pytest.raises(SpaceError, match="Text"):
        make_vector_environment(EnvConfig(), source=lambda: env)
    assert env.is_closed


# --- workers


def failing(opened: list[VectorEnvironment], trouble: str, **keys: Any) -> VectorEnvironment:
    maker = functools.partial(TroubleEnv, trouble)
    environment = from_source(opened, maker, num_envs=2, vectorization="async", **keys)
    return environment


def step_until_trouble(environment: VectorEnvironment) -> None:
    environment.reset(0)
    for _ in range(3):
        environment.step(np.zeros((2, 1), np.float32))


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("error", "environment 0 raised ValueError: the simulation is unstable"),
        ("odd error", "environment 0 raised BadError: an error that no pickle brings back"),
        ("unpicklable error", "environment 0 raised RuntimeError"),
        ("reset", "environment 0 raised RuntimeError: cannot reset"),
        ("death", r"process of an environment died.*9"),
        ("exit", r"process of an environment died"),
    ],
)
def test_failing_workers_are_reported(
    trouble: str, message: str, opened: list[VectorEnvironment]
) -> None:
    environment = failing(opened, trouble)
    with pytest.raises(EnvironmentStepError, match=message) as caught:
        step_until_trouble(environment)
    if "raised" in message:
        assert "environments_for_tests.py" in caught.value.__notes__[0]
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("in_reset", [False, True])
def test_environment_of_this_process_that_raises_is_named(
    opened: list[VectorEnvironment], in_reset: bool
) -> None:
    trouble = "reset" if in_reset else "error"
    makers: Iterator[Any] = iter([TroubleEnv, functools.partial(TroubleEnv, trouble)])
    environment = from_source(opened, lambda: next(makers)(), num_envs=2)
    with pytest.raises((RuntimeError, ValueError)) as caught:
        step_until_trouble(environment)
    where = "in its reset" if in_reset else "in step 3 of its episode"
    assert caught.value.__notes__ == [f"In environment 1, {where}."]


def test_a_hanging_worker_is_stopped(opened: list[VectorEnvironment]) -> None:
    environment = failing(opened, "hang", step_timeout=5.0)
    with pytest.raises(EnvironmentStepError, match=r"env\.step_timeout, 5 seconds"):
        step_until_trouble(environment)
    assert not multiprocessing.active_children()


def test_closing_never_waits_for_a_hanging_worker() -> None:
    environment = failing([], "hang in close")
    environment.reset(0)
    env: Any = environment._env
    env.step_async(np.zeros((2, 1), np.float32))
    close_workers(env, patience=0.2)
    environment.close()
    assert not multiprocessing.active_children()


def test_a_constructor_that_fails_in_the_worker_alone_is_reported() -> None:
    parent = os.getpid()

    def make() -> gymnasium.Env:
        assert os.getpid() == parent, "fails in the worker alone"
        return CountingEnv()

    with pytest.raises(EnvironmentSetupError, match="async worker ended"):
        make_vector_environment(EnvConfig(vectorization="async"), source=make)


@pytest.mark.parametrize("number", SIGNALS)
def test_workers_leave_signals_to_their_parent(
    opened: list[VectorEnvironment], number: int
) -> None:
    environment = from_source(opened, CountingEnv, num_envs=2, vectorization="async")
    environment.reset(0)
    action = np.zeros((2, 1), np.float32)
    environment.step(action)
    for process in environment._env.processes:  # type: ignore[attr-defined]
        os.kill(process.pid, number)
    for _ in range(5):
        environment.step(action)
    assert all(process.is_alive() for process in environment._env.processes)  # type: ignore[attr-defined]


def test_workers_are_not_forked(opened: list[VectorEnvironment]) -> None:
    environment = from_source(opened, CountingEnv, vectorization="async")
    assert environment._env.context in ("forkserver", "spawn")  # type: ignore[attr-defined]


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    script = f"""
        import os
        from sac.config import EnvConfig
        from sac.environments import make_vector_environment

        if __name__ == "__main__":
            config = EnvConfig(id="{THIS_MODULE}:{COUNTING}", num_envs=2, vectorization="async")
            environment = make_vector_environment(config, seed=1)
            environment.reset()
            print(*[process.pid for process in environment._env.processes], flush=True)
            os._exit(0)  # as abrupt as a kill
    """
    pids = [int(pid) for pid in run_script(script, tmp_path, tmp_path).split()]
    assert len(pids) == 2
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_closing_twice_is_fine() -> None:
    env = async_vector(2, AutoresetMode.DISABLED)
    assert isinstance(env, AsyncVectorEnv)
    close_workers(env)
    close_workers(env)
    env.close()
