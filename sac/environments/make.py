"""Construction of environments from the configuration, or from an object of the user's."""

import contextlib
import functools
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

import gymnasium
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit

from sac.config import EnvConfig
from sac.environments.closing import close
from sac.environments.explain import ATARI_NAMESPACE, explained
from sac.environments.ignoring import ignoring
from sac.environments.rebuild.recorder import Recorder
from sac.environments.separate import Source, require_distinct
from sac.environments.stacking import with_stacks_told
from sac.environments.stepping.ray import RayEnv
from sac.environments.stepping.vector import VectorEnvironment
from sac.environments.stepping.workers import run_worker, start_method, starting_workers
from sac.environments.values import built
from sac.environments.wrappers import WrapEnvironment, configured_wrappers, refuse_statistics
from sac.errors import ConfigError, EnvironmentSetupError, told

OWN_WRAPPERS = OrderEnforcing, PassiveEnvChecker, TimeLimit
RESERVED_KWARGS = ("id", "num_envs", "vectorization_mode", "vector_kwargs", "wrappers")


def make_vector_environment(
    config: EnvConfig,
    *,
    source: Source | None = None,
    num_envs: int | None = None,
    seed: int | None = None,
    wrap: WrapEnvironment | None = None,
) -> VectorEnvironment:
    """Make the environments of `config`, or those of `source` in place of its id and kwargs.

    `source` is an environment, a vector environment, or a callable that makes either. `num_envs`
    replaces the configured number. `wrap` is put around each, outside of the configured wrappers.
    EnvironmentSetupError or SpaceError says what is wrong.
    """
    num_envs = config.num_envs if num_envs is None else num_envs
    wrappers = [*_wrappers(config), *([] if wrap is None else [wrap])]
    maker: Any = _from_id if source is None else functools.partial(_from_source, source)
    make = functools.partial(maker, config, num_envs, wrappers, seed)
    env, is_recorded = make()
    can_remake = is_recorded and isinstance(env, AsyncVectorEnv | RayEnv)
    is_owned = not isinstance(source, gymnasium.Env | VectorEnv)
    try:
        environment = VectorEnvironment(
            env,
            seed=seed,
            step_timeout=config.step_timeout,
            is_owned=is_owned,
            is_recorded=is_recorded,
            remake=(lambda: make()[0]) if can_remake else None,
        )
        require_distinct(environment)
        return environment
    except BaseException:
        if is_owned:
            close(env)
        raise


def around(env: Recorder, seed: int | None) -> VectorEnvironment:
    """Return the vector environment of one that is there, with its Recorder."""
    vector_env = SyncVectorEnv([lambda: env], **_vector_kwargs("sync", seed))
    return VectorEnvironment(vector_env, seed=seed, is_recorded=True)


def make_bare_environment(config: EnvConfig) -> gymnasium.Env:
    """Make one environment of `config`, without Gymnasium's own wrappers; or raise SACError."""
    wrappers = _wrappers(config)
    _check_id(config)
    with explained(config.id):
        kwargs = built(config.kwargs, "env.kwargs")
        env = gymnasium.make(config.id, disable_env_checker=True, **kwargs)
        return _wrapped(_without_own(env), wrappers)


def _without_own(env: gymnasium.Env) -> gymnasium.Env:
    """Take Gymnasium's own wrappers away; those that the id is registered with belong to it."""
    while isinstance(env, OWN_WRAPPERS):
        env = env.env
    if isinstance(env, gymnasium.Wrapper):
        env.env = _without_own(env.env)
    return env


def _from_id(
    config: EnvConfig, num_envs: int, wrappers: list[WrapEnvironment], seed: int | None
) -> tuple[VectorEnv, bool]:
    """Return the vector environment and whether each environment in it has a Recorder."""
    _check_id(config)
    with explained(config.id):
        kwargs = built(config.kwargs, "env.kwargs")
        if config.vectorization == "native":
            env = gymnasium.make_vec(config.id, num_envs, "vector_entry_point", **kwargs)
            return _wrapped_vector(env, num_envs, wrappers), False
        if config.vectorization == "ray":
            make = functools.partial(_make_single, config.id, kwargs)
            return _in_actors(
                config, num_envs, seed, functools.partial(_make_recorded, make, wrappers)
            ), True
        is_async = config.vectorization == "async"
        with starting_workers(config.step_timeout) if is_async else contextlib.nullcontext():
            env = gymnasium.make_vec(
                config.id,
                num_envs,
                config.vectorization,
                vector_kwargs=_vector_kwargs(config.vectorization, seed),
                wrappers=[*wrappers, _recorded],
                # The Recorder checks every step, and says what helps.
                **{"disable_env_checker": True, **kwargs},
            )
        return env, True


def _make_single(env_id: str, kwargs: dict[str, Any]) -> gymnasium.Env:
    """Return an environment of an id, in whatever process this runs."""
    module, separator, _ = env_id.partition(":")
    if separator:
        _import_registering(module, env_id)
    # The Recorder checks every step, and says what helps.
    return gymnasium.make(env_id, **{"disable_env_checker": True, **kwargs})


def _in_actors(
    config: EnvConfig, num_envs: int, seed: int | None, make: Callable[[], gymnasium.Env]
) -> RayEnv:
    return RayEnv(make, num_envs, seed, config.ray_address, config.step_timeout)


def _vector_kwargs(vectorization: str, seed: int | None) -> dict[str, Any]:
    # VectorEnvironment resets itself: this wastes no step, and copies the last observation before
    # the environment, which may reuse its array, starts anew.
    kwargs = {"autoreset_mode": AutoresetMode.DISABLED, "copy": False}
    if vectorization == "async":
        return {**kwargs, "context": start_method(), "worker": functools.partial(run_worker, seed)}
    return kwargs


def _from_source(
    source: Source,
    config: EnvConfig,
    num_envs: int,
    wrappers: list[WrapEnvironment],
    seed: int | None,
) -> tuple[VectorEnv, bool]:
    """Return the vector environment and whether each environment in it has a Recorder."""
    # What EnvPool makes is both.
    is_single = isinstance(source, gymnasium.Env) and not isinstance(source, VectorEnv)
    if is_single and num_envs > 1:
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
    another = functools.partial(_make_recorded, source, wrappers)
    with explained(str(first)):
        if config.vectorization == "async" and first is not source:
            close(first)
            with starting_workers(config.step_timeout):
                return AsyncVectorEnv([another] * num_envs, **_vector_kwargs("async", seed)), True
        if config.vectorization == "ray" and first is not source:
            close(first)
            return _in_actors(config, num_envs, seed, another), True
        given = functools.partial(_make_recorded, lambda: first, wrappers)
        makers: list[Any] = [given, *[another] * (num_envs - 1)]
        return SyncVectorEnv(makers, **_vector_kwargs("sync", seed)), True


def _make_recorded(make: Any, wrappers: list[WrapEnvironment]) -> Recorder:
    return _recorded(_wrapped(make(), wrappers))


def _recorded(env: gymnasium.Env) -> Recorder:
    refuse_statistics(env)
    return Recorder(with_stacks_told(env))


def _wrapped(env: Any, wrappers: list[WrapEnvironment]) -> Any:
    for wrap in wrappers:
        env = wrap(env)
    return env


def _wrapped_vector(env: VectorEnv, num_envs: int, wrappers: list[WrapEnvironment]) -> VectorEnv:
    if env.num_envs != num_envs:
        close(env)
        raise EnvironmentSetupError(
            f"env.num_envs: expected {num_envs} environments, {env} has {env.num_envs}"
        )
    env = _wrapped(env, wrappers)  # such as by gymnasium.wrappers.vector
    refuse_statistics(env)
    return env


def _check_id(config: EnvConfig) -> None:
    """Raise a clear error for what gymnasium.make_vec does not check; import the id's module."""
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
    is_atari = name.startswith(ATARI_NAMESPACE) or module.startswith(ATARI_NAMESPACE)
    if is_atari and importlib.util.find_spec("ale_py") is not None:
        importlib.import_module("ale_py")
    if separator:
        _import_registering(module, config.id)


def _import_registering(module: str, env_id: str) -> None:
    try:
        importlib.import_module(module)
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        reason = f"fails: {told(error)}"
        if missing is not None and f"{module}.".startswith(f"{missing}."):
            reason = "was found neither here nor installed"
        raise EnvironmentSetupError(
            f"env.id: the module {module!r} of {env_id!r} {reason}"
        ) from error


def _wrappers(config: EnvConfig) -> list[WrapEnvironment]:
    """Return the wrappers, after making the user's modules importable, as `python -m` does.

    Installed modules come first. Workers take over the import path of this process.
    """
    if (config.wrappers or ":" in config.id) and not {"", os.getcwd()} & set(sys.path):
        sys.path.append(os.getcwd())
    ignored = config.ignore_observations
    return [
        *configured_wrappers(config.wrappers),
        *([functools.partial(ignoring, ignored)] if ignored else []),
    ]
