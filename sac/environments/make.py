"""From the configuration, or from what the user gives instead, to a VectorEnvironment."""

import copy
import functools
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from sac.config import EnvConfig
from sac.environments.explain import ATARI_NAMESPACE, explained
from sac.environments.rebuild.recorder import Recorder
from sac.environments.stepping.vector import VectorEnvironment
from sac.environments.stepping.workers import run_worker, start_method
from sac.environments.wrappers import WrapEnvironment, configured_wrappers
from sac.errors import ConfigError, EnvironmentSetupError

Source = gymnasium.Env | VectorEnv | Callable[[], gymnasium.Env | VectorEnv]
RESERVED_KWARGS = ("id", "num_envs", "vectorization_mode", "vector_kwargs", "wrappers")


def make_vector_environment(
    config: EnvConfig,
    *,
    source: Source | None = None,
    num_envs: int | None = None,
    seed: int | None = None,
) -> VectorEnvironment:
    """Make the environments of `config`, or those of `source` in place of its id and kwargs.

    `source` is an environment, a vector environment, or a callable that makes either. `num_envs`
    replaces the configured number. EnvironmentSetupError or SpaceError says what is wrong.
    """
    num_envs = config.num_envs if num_envs is None else num_envs
    if config.wrappers or ":" in config.id:
        _find_modules_of_the_working_directory()
    wrappers = configured_wrappers(config.wrappers)
    make: Callable[[], tuple[VectorEnv, bool]]
    if source is None:
        make = functools.partial(_from_id, config, num_envs, wrappers)
    else:
        make = functools.partial(_from_source, source, config, num_envs, wrappers)
    env, is_recorded = make()
    can_remake = is_recorded and isinstance(env, AsyncVectorEnv)
    is_owned = not isinstance(source, gymnasium.Env | VectorEnv)
    try:
        return VectorEnvironment(
            env,
            seed=seed,
            step_timeout=config.step_timeout,
            is_owned=is_owned,
            is_recorded=is_recorded,
            remake=(lambda: make()[0]) if can_remake else None,
        )
    except BaseException:
        if is_owned:
            env.close()
        raise


def make_bare_environment(config: EnvConfig) -> gymnasium.Env:
    """Make one environment of `config` alone, without the wrappers that Gymnasium adds by itself.

    EnvironmentSetupError says what is wrong.
    """
    if config.wrappers or ":" in config.id:
        _find_modules_of_the_working_directory()
    wrappers = configured_wrappers(config.wrappers)
    _check_id(config)
    with explained(config.id):
        env = gymnasium.make(config.id, disable_env_checker=True, **config.kwargs).unwrapped
        for wrap in wrappers:
            env = wrap(env)
        return env


def separate_source(source: Source) -> Source:
    """Return what makes another environment like `source`, for evaluation beside training.

    EnvironmentSetupError where an environment can be neither made again nor copied.
    """
    if not isinstance(source, gymnasium.Env | VectorEnv):
        return source
    try:
        return _remake(source)
    except Exception as error:
        raise EnvironmentSetupError(
            f"{source} can neither be made again nor copied, but evaluation needs an environment "
            "of its own: give a callable that makes the environment"
        ) from error


def _remake(source: gymnasium.Env | VectorEnv) -> Source:
    is_bare_vector = isinstance(source, VectorEnv) and source.unwrapped is source
    if is_bare_vector and source.spec is not None:
        return functools.partial(gymnasium.make_vec, source.spec)
    if isinstance(source, VectorEnv):
        return functools.partial(copy.deepcopy, copy.deepcopy(source))
    wrappers = [] if source.spec is None else source.spec.additional_wrappers
    if source.spec is not None and all(wrapper.kwargs is not None for wrapper in wrappers):
        return functools.partial(gymnasium.make, source.spec)
    return functools.partial(copy.deepcopy, copy.deepcopy(source))


def _from_id(
    config: EnvConfig, num_envs: int, wrappers: list[WrapEnvironment]
) -> tuple[VectorEnv, bool]:
    """Return the vector environment and whether each environment in it has a Recorder."""
    _check_id(config)
    with explained(config.id):
        if config.vectorization == "native":
            env = gymnasium.make_vec(config.id, num_envs, "vector_entry_point", **config.kwargs)
            return _wrapped_vector(env, num_envs, wrappers), False
        env = gymnasium.make_vec(
            config.id,
            num_envs,
            config.vectorization,
            vector_kwargs=_vector_kwargs(config.vectorization),
            wrappers=[*wrappers, Recorder],
            **config.kwargs,
        )
        return env, True


def _vector_kwargs(vectorization: str) -> dict[str, Any]:
    # Resetting is left to VectorEnvironment: no step is wasted on it, and the last observation is
    # copied before the environment, which may reuse its array, starts anew.
    kwargs = {"autoreset_mode": AutoresetMode.DISABLED, "copy": False}
    if vectorization == "async":
        return {**kwargs, "context": start_method(), "worker": run_worker}
    return kwargs


def _from_source(
    source: Source, config: EnvConfig, num_envs: int, wrappers: list[WrapEnvironment]
) -> tuple[VectorEnv, bool]:
    """Return the vector environment and whether each environment in it has a Recorder."""
    if isinstance(source, gymnasium.Env) and num_envs > 1:
        raise EnvironmentSetupError(
            f"env.num_envs is {num_envs} but one environment was given: give a callable that makes "
            "a new one each time"
        )
    if not isinstance(source, gymnasium.Env | VectorEnv) and not callable(source):
        raise EnvironmentSetupError(
            "expected a Gymnasium environment, a vector environment or a callable that makes one, "
            f"got {source!r:.100}"
        )
    first = source if isinstance(source, gymnasium.Env | VectorEnv) else source()
    if isinstance(first, VectorEnv):
        return _wrapped_vector(first, first.num_envs, wrappers), False
    if not isinstance(first, gymnasium.Env):
        raise EnvironmentSetupError(
            f"expected the callable to make a Gymnasium environment, got {first!r:.100}"
        )
    another = functools.partial(_make_wrapped, source, wrappers)
    with explained(str(first)):
        if config.vectorization == "async" and first is not source:
            first.close()
            return AsyncVectorEnv([another] * num_envs, **_vector_kwargs("async")), True
        makers: list[Any] = [lambda: _wrapped(first, wrappers), *[another] * (num_envs - 1)]
        return SyncVectorEnv(makers, **_vector_kwargs("sync")), True


def _make_wrapped(make: Any, wrappers: list[WrapEnvironment]) -> gymnasium.Env:
    return _wrapped(make(), wrappers)


def _wrapped(env: gymnasium.Env, wrappers: list[WrapEnvironment]) -> gymnasium.Env:
    for wrap in wrappers:
        env = wrap(env)
    return Recorder(env)


def _wrapped_vector(env: VectorEnv, num_envs: int, wrappers: list[WrapEnvironment]) -> VectorEnv:
    if env.num_envs != num_envs:
        env.close()
        raise EnvironmentSetupError(
            f"env.num_envs: expected {num_envs} environments, {env} has {env.num_envs}"
        )
    for wrap in wrappers:  # such as those of gymnasium.wrappers.vector
        env = wrap(env)
    return env


def _check_id(config: EnvConfig) -> None:
    """Raise a clear error for what gymnasium.make_vec would trip over; import what registers it."""
    if not config.id:
        raise ConfigError("env.id: expected a Gymnasium environment, such as Pendulum-v1")
    reserved = [name for name in RESERVED_KWARGS if name in config.kwargs]
    if reserved:
        raise EnvironmentSetupError(
            f"env.kwargs: {', '.join(reserved)} cannot be passed to an environment; "
            "env.id, env.num_envs, env.vectorization and env.wrappers are keys of their own"
        )
    module, separator, name = config.id.partition(":")
    if ":" in name or (separator and not (module and name)):
        raise EnvironmentSetupError(f"env.id: expected EnvId or module:EnvId, got {config.id!r}")
    if name.startswith(ATARI_NAMESPACE) or module.startswith(ATARI_NAMESPACE):
        _import_if_installed("ale_py")
    if separator:
        _import_registering(module, config.id)


def _import_registering(module: str, env_id: str) -> None:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        is_missing = error.name is not None and f"{module}.".startswith(f"{error.name}.")
        reason = "was found neither here nor installed" if is_missing else f"fails: {error}"
        raise EnvironmentSetupError(
            f"env.id: the module {module!r} of {env_id!r} {reason}"
        ) from error
    except Exception as error:
        raise EnvironmentSetupError(
            f"env.id: importing the module {module!r} of {env_id!r} fails: "
            f"{type(error).__name__}: {error}"
        ) from error


def _import_if_installed(module: str) -> None:
    if importlib.util.find_spec(module) is not None:
        importlib.import_module(module)


def _find_modules_of_the_working_directory() -> None:
    """Let the user's modules be imported as `python -m` does, but never before an installed one.

    Workers start with this process's import path.
    """
    if not {"", os.getcwd()} & set(sys.path):
        sys.path.append(os.getcwd())
