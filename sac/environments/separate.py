"""Another environment like the one that the user gave, for evaluation; and whether it is apart."""

import copy
import functools
import types
from collections.abc import Callable, Iterator
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv

from sac.environments.closing import close
from sac.environments.rebuild.generators import follow, reachable
from sac.environments.rebuild.nodes import is_plain, is_same, node_of
from sac.environments.stepping.vector import VectorEnvironment
from sac.errors import EnvironmentSetupError
from sac.seeding import globals_kept, seed_globals

Source = gymnasium.Env | VectorEnv | Callable[[], gymnasium.Env | VectorEnv]
Settings = dict[tuple[Any, ...], dict[str, Any]]
WHOLES = str | type | types.FunctionType | types.BuiltinFunctionType  # compared as they are
SEED, STEPS = 0, 3  # of the trial of two copies
CHOICE = (
    "give a callable that makes the environment; or choose evaluation.env: same (evaluations in "
    "the training's own environment, between two of its episodes) or none"
)


def separate_source(source: Source) -> tuple[Source, list[str]]:
    """Return a source of another environment like `source`, and what the user should know of it.

    An object is made again by its id, with the attributes that were set since, or copied.
    EnvironmentSetupError where neither gives an environment of its own.
    """
    if not isinstance(source, gymnasium.Env | VectorEnv):
        return source, []
    try:
        remade = _remake(source)
        if remade is not None:
            return remade
        make = _copied(source)
        return make, _try_copies(source, make)
    except EnvironmentSetupError:
        raise
    except Exception as error:
        raise EnvironmentSetupError(
            f"{source} can neither be made again nor copied, but evaluation needs an environment "
            f"of its own: {CHOICE}"
        ) from error


def _remake(source: gymnasium.Env | VectorEnv) -> tuple[Callable[[], Any], list[str]] | None:
    """Return how an environment is made again by its id; None where it has none."""
    spec = source.spec
    if not isinstance(spec, EnvSpec):  # None, or EnvPool's own
        return None
    if isinstance(source, VectorEnv):
        if source.unwrapped is not source:
            return None
        make: Callable[[], Any] = functools.partial(gymnasium.make_vec, spec)
    else:
        if any(wrapper.kwargs is None for wrapper in spec.additional_wrappers):
            return None
        make = functools.partial(gymnasium.make, spec)
    if isinstance(source, AsyncVectorEnv):
        note = (
            "evaluation plays in an environment made anew by its id: what was set in this one's "
            "processes since then is not in it; if that matters, give a callable, or choose "
            "evaluation.env: same or none"
        )
        return make, [note]
    settings = list(map(_settings, _singles(source)))
    return functools.partial(_with_settings, make, settings, close), []


def _copied(source: gymnasium.Env | VectorEnv) -> Callable[[], Any]:
    owner = next((value for _, value in reachable(source) if _frees_something(value)), None)
    if owner is not None:
        raise EnvironmentSetupError(
            f"{source} can't be copied for evaluation: its {type(owner).__name__} holds something "
            f"outside of Python, which a copy would share, and free: {CHOICE}"
        )
    settings = list(map(_settings, _singles(source)))
    first = copy.deepcopy(source)
    make = functools.partial(copy.deepcopy, first)
    # A copy is not closed: what it shares, if it does, is still in use.
    return functools.partial(_with_settings, make, settings, lambda env: None)


def _frees_something(value: Any) -> bool:
    return hasattr(type(value), "__del__") and not isinstance(value, gymnasium.Env | VectorEnv)


def _singles(source: Any) -> Iterator[gymnasium.Env]:
    inner = source.unwrapped if isinstance(source, VectorEnv) else None
    if isinstance(inner, SyncVectorEnv):
        yield from inner.envs
    elif isinstance(source, gymnasium.Env):
        yield source


def _settings(env: gymnasium.Env) -> Settings:
    """Return the plain attributes of an environment and of objects below it, by their places."""
    settings: Settings = {}
    for path, value in [([], env), *reachable(env)]:
        own = getattr(value, "__dict__", None)
        if isinstance(own, dict) and not isinstance(value, gymnasium.Space | EnvSpec):
            plain = {name: copy.deepcopy(one) for name, one in own.items() if _is_set(name, one)}
            settings[tuple(path)] = plain
    return settings


def _is_set(name: str, value: Any) -> bool:
    # A copy of another argument may be a whole environment.
    if isinstance(value, functools.partial):
        return is_plain("", [*value.args, *value.keywords.values()])
    return isinstance(value, WHOLES) or is_plain(name, value)


def _with_settings(
    make: Callable[[], Any], settings: list[Settings], discard: Callable[[Any], None]
) -> Any:
    """Make an environment and set in it what was set in another since that was made.

    What differs between two that are just made is what each has for itself, such as a handle.
    """
    made = make()  # by its id, or by a copy that may itself construct anew (EzPickle)
    fresh = list(map(_settings, _singles(made)))
    changes = [_changes(*pair) for pair in zip(settings, fresh, strict=True)]
    if any(changes):
        sibling = make()
        others = map(_settings, _singles(sibling))
        own = [_changes(*pair) for pair in zip(fresh, others, strict=True)]
        for env, changed, kept in zip(_singles(made), changes, own, strict=True):
            for (path, name), value in changed.items():
                owner = follow(env, path)
                if (path, name) not in kept and hasattr(owner, "__dict__"):
                    vars(owner)[name] = value
        discard(sibling)
    return made


def _changes(settings: Settings, others: Settings) -> dict[tuple[Any, str], Any]:
    """Return what is other in `others`, or missing there, by place and name."""
    return {
        (path, name): value
        for path, plain in settings.items()
        for name, value in plain.items()
        if path in others and not _is_equal(name, value, others[path].get(name, others))
    }


def _is_equal(name: str, one: Any, other: Any) -> bool:
    if isinstance(one, functools.partial) and isinstance(other, functools.partial):
        parts = ((each.func, [*each.args], each.keywords) for each in (one, other))
        (func, *arguments), (others_func, *others) = parts
        return func == others_func and is_same(node_of("", arguments), node_of("", others))
    if isinstance(one, WHOLES | functools.partial):
        return bool(one is other or (type(one) is type(other) and one == other))
    return is_plain(name, other) and is_same(node_of(name, one), node_of(name, other))


def _try_copies(source: gymnasium.Env | VectorEnv, make: Callable[[], Any]) -> list[str]:
    """Raise EnvironmentSetupError where one copy moves another, as by the id of a simulator."""
    with globals_kept():
        try:
            alone, again, beside = (_played(make, other) for other in (None, None, make))
        except Exception:  # whatever the environment may raise: the training will tell
            return []
    if alone == again != beside:
        raise EnvironmentSetupError(
            f"copies of {source} move one another, since they share a simulator: {CHOICE}"
        )
    if alone != again:
        return [
            "whether evaluation's copy of the environment is apart from it can't be tested, as it "
            f"does not repeat itself from one seed; if they share a simulator, {CHOICE}"
        ]
    return []


def _played(make: Any, make_other: Any) -> list[bytes]:
    """Return what a few steps of a new copy give, alone or beside those of another copy."""
    env = make()
    other = None if make_other is None else make_other()
    space = copy.deepcopy(env.action_space)
    space.seed(SEED)
    seed_globals(SEED)
    outcomes = [env.reset(seed=SEED)[0]]
    if other is not None:
        other.reset(seed=SEED + 1)
    for _ in range(STEPS):
        outcomes += env.step(space.sample())[:2]
        if other is not None:
            other.step(space.sample())
        else:
            space.sample()
    return [repr(np.asarray(one).tolist()).encode() for one in outcomes]


def require_distinct(*vectors: VectorEnvironment) -> None:
    """Raise EnvironmentSetupError where one environment is there more than once."""
    environments = [environment for vector in vectors for environment in vector.innermost]
    if len({id(environment) for environment in environments}) == len(environments):
        return
    same = "; or choose evaluation.env: same or none" if len(vectors) > 1 else ""
    raise EnvironmentSetupError(
        f"{vectors[0].name}: expected a new environment from each call, got the same one again, "
        "which would be reset in the middle of its episodes: make the environment inside of the "
        f"callable{same}"
    )
