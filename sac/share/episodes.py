"""A Minari data set of the episodes that a policy plays."""

import re
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from sac.agent.agent import SACAgent
from sac.config import EvaluationConfig
from sac.disk.files import new_folder
from sac.environments import make_vector_environment
from sac.environments.episodes import EpisodeKeeper, PlayedEpisode
from sac.environments.limit import with_limit
from sac.errors import NAME, ConfigError, SACError, install_command
from sac.evaluation.evaluate import check_spaces_fit, environment_config, run_episodes
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.seeding import globals_kept, seed_globals
from sac.share.card import check_new_folder

DATA = "data"  # the folder in a data set that Minari reads


def record(
    path: str | Path,
    output: str | Path,
    *,
    checkpoint: str | int = "best",
    episodes: int = 100,
    seed: int = 0,
    deterministic: bool = True,
    max_steps: int | None = EvaluationConfig.max_steps,
    device: str = "auto",
    trust: bool = False,
) -> str:
    """Play whole episodes with a policy, and write them to the new folder `output`, for Minari.

    The arguments and errors are those of `evaluate`. SACError, too, where Minari can't hold the
    environment's spaces, or is not installed. Returns what was written, in words.
    """
    output = check_new_folder(output)
    storage = _storage()
    loaded = load_checkpoint(find_checkpoint(path, checkpoint))
    config = with_limit(environment_config(loaded, trust=trust), max_steps)
    if not config.id:
        raise ConfigError(f"'{loaded.folder}' does not say which environment it is for")
    agent = SACAgent.load(loaded.folder, device=device)
    keepers: list[EpisodeKeeper] = []

    def keep(env: Any) -> EpisodeKeeper:
        keepers.append(EpisodeKeeper(env))
        return keepers[0]

    config = replace(config.alone(), vectorization="sync")  # what is native can't be looked into
    with globals_kept():
        seed_globals(seed)  # for constructors that draw
        with closing(make_vector_environment(config, seed=seed, wrap=keep)) as environment:
            check_spaces_fit(*agent.spaces, environment)
            result = run_episodes(
                agent, environment, episodes=episodes, seed=seed, deterministic=deterministic
            )
            played = [episode for episode in keepers[0].episodes if episode.actions][:episodes]
            _write(storage, output, keepers[0], played)
    steps = sum(len(episode.actions) for episode in played)
    return (
        f"{output}: {len(played)} episodes, {steps:,} steps, mean return "
        f"{result.mean_return:.2f}; --train.demonstrations {output} learns from them"
    )


def _storage() -> Any:
    try:
        from minari.dataset.minari_storage import MinariStorage
    except ImportError as error:
        raise ConfigError(f"a data set needs {error.name}: {install_command('minari')}") from error
    return MinariStorage


def _write(storage: Any, output: Path, env: EpisodeKeeper, played: Sequence[PlayedEpisode]) -> None:
    from minari import __version__
    from minari.data_collector.episode_buffer import EpisodeBuffer

    buffers = [
        EpisodeBuffer(
            id=number,
            observations=_columns(episode.observations),
            actions=_columns(episode.actions),
            rewards=episode.rewards,
            terminations=episode.terminated,
            truncations=episode.truncated,
            infos={},
        )
        for number, episode in enumerate(played)
    ]
    name = re.sub(r"[^-\w]", "_", output.absolute().name)
    described = {
        # Minari knows no id without a version.
        "dataset_id": name if re.search(r"-v\d+$", name) else f"{name}-v0",
        "algorithm_name": f"SAC ({NAME})",
        "minari_version": __version__,
    }
    try:
        with new_folder(output, output.absolute().parent) as unfinished, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what an environment's description lacks
            data = storage.new(
                unfinished / DATA,
                observation_space=env.observation_space,
                action_space=env.action_space,
                env_spec=_spec(env.env),
                jpeg_encoding=False,  # Minari's own choice loses some of each picture
            )
            data.update_metadata(described)
            data.update_episodes(buffers)
    except OSError as error:
        raise SACError(f"Can't write '{output}': {error.strerror}.") from error
    except (ImportError, NotImplementedError, TypeError, ValueError) as error:
        raise SACError(
            f"Minari can't hold episodes of {env.observation_space} and {env.action_space}: {error}"
        ) from error


def _spec(env: Any) -> Any:
    """Return by what the environment can be made again; None where no file can hold that."""
    try:
        env.spec.to_json()
    except (AttributeError, TypeError, ValueError):
        return None
    return env.spec


def _columns(items: Sequence[Any]) -> Any:
    """Return a list of values for each part of a Dict or Tuple space."""
    if isinstance(items[0], dict):
        return {name: _columns([item[name] for item in items]) for name in items[0]}
    if isinstance(items[0], tuple):
        return tuple(_columns([item[i] for item in items]) for i in range(len(items[0])))
    return list(items)
