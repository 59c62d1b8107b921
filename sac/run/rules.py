"""What a resumed run may change, and what a run's configuration may bring to execution."""

import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any

from sac.config import Config, EnvConfig
from sac.config.keys import list_keys
from sac.disk.files import find_link
from sac.errors import CheckpointError, ConfigError

CHANGEABLE = (
    "train.total_steps",
    "train.stop_at_return",
    "train.buffer_device",
    "train.compile",
    "train.demonstrations",  # to where they lie now: that they are the same is seen by their digest
    "device",
    "logging.every_steps",
    "logging.histograms_every_steps",
    "logging.videos_every_steps",
    "logging.also",
    "evaluation.",
    "checkpoint.",
)
REASONS = {
    "env.": "the episodes in progress and the stored transitions are this environment's",
    "agent.": "the trained weights and their optimizers are this agent's",
    "train.": "what was learned so far depends on it",
    "seed": "the streams of random numbers are under way",
    "name": "the run's folder is called after it",
    "logging.root": "it goes on in its own folder, which may lie anywhere",
}
# Keys of what weights there are: --train.init_from takes over weights of the same shapes alone.
OF_WEIGHTS = (
    "agent.hidden_sizes",
    "agent.critic_hidden_sizes",
    "agent.network",
    "agent.encoder",
    "agent.critic_norm",
    "agent.policy_norm",
    "agent.critic_dropout",
    "agent.unit_weights",
    "agent.critic",
    "agent.num_soft_q_nets",
    "agent.num_quantiles",
    "agent.num_atoms",
    "agent.alpha",
    "agent.alpha_per_part",
    "agent.gsde_log_std",
    "agent.normalize_observations",
    "agent.normalize_rewards",
)
OF_SPACES = ("env.id", "env.kwargs", "env.wrappers", "env.ignore_observations")
GYMNASIUM_WRAPPERS = "gymnasium.wrappers."


def check_changes(saved: Config, wanted: Config) -> None:
    """Raise ConfigError where `wanted` changes what a resumed run must keep."""
    for key in list_keys(Config):
        before, after = map(attrgetter(key.name), (saved, wanted))
        if before != after and not key.name.startswith(CHANGEABLE):
            reason = next(text for start, text in REASONS.items() if key.name.startswith(start))
            raise ConfigError(
                f"{key.name}: a resumed run keeps its own, expected {before}, got {after}: "
                f"{reason}; {_way_to_change(key.name)}"
            )


def _way_to_change(key: str) -> str:
    if key in OF_WEIGHTS:
        return "start a new run to change it"
    where = " where the spaces stay the same" if key in OF_SPACES else ""
    return f"start a new run to change it, with --train.init_from{where}"


def schedule_notes(saved: Config, wanted: Config) -> list[str]:
    """Return a line where another number of steps moves what follows a schedule over them."""
    before, after = saved.train.total_steps, wanted.train.total_steps
    moved = []
    if wanted.agent.final_lr_fraction != 1:
        moved.append("learning rates (agent.final_lr_fraction)")
    if wanted.train.priority_alpha > 0 and wanted.train.priority_beta != 1:
        moved.append("the weights of prioritised replay (train.priority_beta)")
    if before == after or not moved:
        return []
    return [
        f"{' and '.join(moved)} follow a schedule over train.total_steps: they jump from where "
        f"they were of {before:,} to where they are of {after:,}"
    ]


def check_no_links(run_directory: Path) -> None:
    """Raise CheckpointError where a run holds a link: what is written must stay in its folder."""
    link = find_link(run_directory)
    if link is not None:
        raise CheckpointError(
            f"'{link}' is a symbolic link, and a resumed run writes into its own folder alone: "
            "put what it points to in its place"
        )


def names_code(env: EnvConfig) -> bool:
    """Return whether an environment's configuration names modules, code to call or a cluster."""
    wrappers = (wrapper.class_path for wrapper in env.wrappers)
    is_known = all(path.startswith(GYMNASIUM_WRAPPERS) for path in wrappers)
    return ":" in env.id or not is_known or bool(imports_of(env)) or bool(cluster_of(env))


def cluster_of(env: EnvConfig) -> str | None:
    """Return the address of the Ray cluster that environments run on; it sends back pickles."""
    return env.ray_address if env.vectorization == "ray" else None


def imports_of(env: EnvConfig) -> list[str]:
    """Return the dotted names that the keyword arguments of an environment import."""
    return _imports([env.kwargs, *(wrapper.kwargs for wrapper in env.wrappers)])


def _imports(values: Any) -> list[str]:
    from sac.environments.values import imports  # here, so that --help stays quick

    return list(imports(values))


def check_trusted(env: EnvConfig, named: Mapping[str, Any]) -> None:
    """Raise ConfigError where an environment's configuration names code to run, or a cluster.

    It came with a run, perhaps a stranger's. `named` holds the keys of the section `env` that the
    user gave too: what they name is theirs.
    """
    advice = (
        "no training by you on this machine has signed this run, as it is, for the code that would "
        "run now: give --trust (from Python trust=True) if you trust it"
    )
    module, separator, _ = env.id.partition(":")
    _check_there(([module] if separator else []) + [wrapper.class_path for wrapper in env.wrappers])
    if separator and module not in sys.modules and "id" not in named:
        raise ConfigError(
            f"the run's configuration imports the module {module!r} (env.id: {env.id}), and "
            f"{advice}"
        )
    if (address := cluster_of(env)) and "ray_address" not in named:
        raise ConfigError(
            f"the run's configuration connects to the Ray cluster at {address!r} "
            f"(env.ray_address), and {advice}"
        )
    own = {*_imports(named.get("kwargs")), *_imports(named.get("wrappers"))}
    if unknown := [name for name in imports_of(env) if name not in own]:
        raise ConfigError(
            f"the run's configuration imports {unknown[0]!r} for its environment, and {advice}"
        )
    for wrapper in env.wrappers:
        if not wrapper.class_path.startswith(GYMNASIUM_WRAPPERS) and "wrappers" not in named:
            raise ConfigError(
                f"the run's configuration calls {wrapper.class_path!r} (env.wrappers), and {advice}"
            )


def _check_there(names: Sequence[str]) -> None:
    """Raise ConfigError for a module that is not there, whose code could not have been signed."""
    for name in names:
        module = name.partition(".")[0]
        if not module or module in sys.modules or find_spec(module):
            continue
        if PathFinder.find_spec(module, [""]) is None:
            raise ConfigError(
                f"the module {module!r}, which makes the run's environment ({name}), was found "
                "neither here nor installed: run this in its folder, or name that in PYTHONPATH"
            )
