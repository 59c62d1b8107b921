"""Demonstrations of a run of this library, or of a Minari data set."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sac.agent.agent import SACAgent
from sac.agent.state import described
from sac.config import Config
from sac.environments import VectorEnvironment
from sac.errors import CheckpointError, ConfigError, SACError, SpaceError
from sac.replay.buffer import ReplayBuffer
from sac.replay.demonstrations import Demonstrations, Steps
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.run.saved_replay import place_batches, saved_replay
from sac.seeding import Streams, generator
from sac.spaces import ObservationEncoder

METADATA = "metadata.json"  # of a Minari data set, beside its data


def demonstrations_for(
    config: Config,
    environment: VectorEnvironment,
    agent: SACAgent,
    known: list[int] | None = None,
) -> Demonstrations | None:
    """Return what a part of every batch is drawn from; None where all is drawn from the replay.

    A run that is resumed has seen these before: as many of each part as are `known`.
    """
    share = config.train.demonstration_share
    if share == 0:
        return None
    source = _read(config, environment)
    steps, sizes = source if known is None else _beginning(*source, known)
    if known is None:
        observe_demonstrations(agent, steps, config.agent.gamma)
    encoder, codec, n = environment.observation_encoder, environment.action_codec, len(steps.reward)
    replay_buffer = ReplayBuffer(
        n, 1, encoder.shape, encoder.dtype, codec.shape, codec.dtype,
        generator(Streams.from_seed(config.seed).demonstrations),
        gamma=config.agent.gamma, n_step=config.train.n_step, packing=encoder.packing,
    )  # fmt: skip
    place_batches(config, agent.device, replay_buffer)
    return Demonstrations(replay_buffer, steps, share, sizes)


def _beginning(steps: Steps, sizes: list[int], known: list[int]) -> tuple[Steps, list[int]]:
    """Return the oldest of each part, as many as are known; all, where parts are others."""
    if len(sizes) != len(known) or any(np.subtract(sizes, known) < 0):
        return steps, sizes
    first = np.cumsum(sizes) - sizes
    rows = np.concatenate([start + np.arange(n) for start, n in zip(first, known, strict=True)])
    ends = np.cumsum(known) - 1
    kept = Steps(*(column[rows] for column in steps))
    kept.truncated[ends] = ~kept.terminated[ends]
    return kept, known


def prefill_for(config: Config, environment: VectorEnvironment) -> Steps | None:
    """Return what the replay begins with; None: nothing. ConfigError where it has no room."""
    if config.train.demonstrations is None or config.train.demonstration_share:
        return None
    steps, capacity = read_steps(config, environment), config.train.buffer_size
    if len(steps.reward) > capacity:
        raise ConfigError(
            f"train.buffer_size: expected at least {len(steps.reward)}, as many as there are "
            f"demonstrations to begin with, got {capacity}"
        )
    return steps


def observe_demonstrations(agent: SACAgent, steps: Steps, gamma: float) -> None:
    """Let the agent's statistics of observations and of rewards see demonstrations."""
    agent.observe(steps.observation)
    if agent.reward_scale is None:
        return
    ends = steps.terminated | steps.truncated
    returns, total = np.empty(len(ends)), 0.0
    for i, (reward, is_end) in enumerate(zip(steps.reward.tolist(), ends.tolist(), strict=True)):
        returns[i] = total = reward + gamma * total
        total *= not is_end
    agent.observe_returns(returns)


def restore_demonstrations(
    config: Config,
    environment: VectorEnvironment,
    agent: SACAgent,
    demonstrations: Demonstrations | None,
    saved: dict[str, Any] | None,
) -> Demonstrations | None:
    """Continue with what `Demonstrations.state` returned; ConfigError where it does not fit.

    Demonstrations of a run that has gone on since are those of its replay that were there then.
    """
    if demonstrations is not None and saved is not None:
        known = saved.get("sizes", demonstrations.sizes)
        if known != demonstrations.sizes:
            demonstrations = demonstrations_for(config, environment, agent, known)
            assert demonstrations is not None
        demonstrations.load_state(saved)
    elif demonstrations is not saved:  # one of them is None
        had = "none" if saved is None else "some"
        raise ConfigError(
            f"train.demonstrations: a resumed run keeps its own, expected {had} in each batch, as "
            f"until now"
        )
    return demonstrations


def read_steps(config: Config, environment: VectorEnvironment) -> Steps:
    """Return the transitions of `train.demonstrations`; ConfigError where it can't be used."""
    return _read(config, environment)[0]


def _read(config: Config, environment: VectorEnvironment) -> tuple[Steps, list[int]]:
    """Return the transitions, and the sizes of the parts that more may be appended to."""
    source = str(config.train.demonstrations)
    try:
        is_run = Path(source).is_dir() and _data_folder(source) is None
        if is_run:
            steps, sizes = _of_run(source, environment)
        else:
            steps = _of_minari(source, environment)
            sizes = [len(steps.reward)]
        _check(steps)
    except SACError as error:
        raise ConfigError(f"train.demonstrations: {error}") from error
    return steps, sizes


def _check(steps: Steps) -> None:
    if not len(steps.reward):
        raise ConfigError("expected transitions to learn from, got none")
    for name, column in steps._asdict().items():
        if not np.isfinite(column).all():
            raise ConfigError(f"expected finite numbers, got some that are not in {name}s")


def _check_spaces(observation: Any, action: Any, environment: VectorEnvironment) -> None:
    wanted = environment.observation_space, environment.action_space
    if not environment.observation_encoder.takes(observation):
        raise SpaceError(f"expected observations of {wanted[0]}, got some of {observation}")
    if action != wanted[1]:
        raise SpaceError(f"expected actions of {wanted[1]}, got some of {action}")


def _of_run(source: str, environment: VectorEnvironment) -> tuple[Steps, list[int]]:
    """Return all that the replay of a run's last checkpoint holds, and how much each ring does."""
    checkpoint = load_checkpoint(find_checkpoint(source, "last"))
    if "policy" not in checkpoint.documents:
        raise CheckpointError(f"'{checkpoint.folder}' does not say what its spaces are")
    spaces = described(checkpoint.documents["policy"], checkpoint.tensors["policy"])[:2]
    _check_spaces(*spaces, environment)
    encoder, codec = ObservationEncoder(spaces[0]), environment.action_codec
    rings = saved_replay(checkpoint, encoder, codec).rings
    rows, ends = rings.rows_in_order()
    if not len(rows):
        raise CheckpointError(f"the replay of '{checkpoint.folder}' is empty")
    stored = rings.read(rows)
    terminated = stored.terminated[:, 0] > 0
    truncated = rings.table.columns["truncated"][rings.table.locate(rows)]
    truncated[ends] = ~terminated[ends]
    action = stored.action.reshape(len(rows), *codec.shape)
    steps = Steps(
        stored.observation, action, stored.reward[:, 0], terminated, truncated,
        stored.next_observation,
    )  # fmt: skip
    return steps, np.diff(ends, prepend=-1).tolist()


def _of_minari(source: str, environment: VectorEnvironment) -> Steps:
    try:
        from minari import MinariDataset
    except ImportError as error:
        raise ConfigError(
            f"expected the folder of a run, got '{source}', which is none; to look for a Minari "
            'data set of this name, pip install "sac-autograd[minari]"'
        ) from error
    data = _data_folder(source)
    if data is None:
        raise ConfigError(
            f"expected the folder of a run or of a Minari data set, or the id of one that is below "
            f"{_minari_root()}, got '{source}': `minari download {source}` fetches one"
        )
    try:
        metadata = json.loads((data / METADATA).read_text(encoding="utf-8"))
        if not {"observation_space", "action_space"} <= set(metadata):
            # Minari would make the environment that the data set names, whatever its code does.
            raise ConfigError(f"'{data}' does not say what its spaces are")
        dataset = MinariDataset(data)
        _check_spaces(dataset.observation_space, dataset.action_space, environment)
        return _joined(
            _episode(each, environment) for each in dataset.iterate_episodes() if len(each)
        )
    except (AssertionError, ImportError, KeyError, OSError, TypeError, ValueError) as error:
        raise ConfigError(f"'{data}' can't be read as a Minari data set: {error}") from error


def _minari_root() -> Path:
    return Path(os.environ.get("MINARI_DATASETS_PATH", Path.home() / ".minari" / "datasets"))


def _data_folder(source: str) -> Path | None:
    """Return where the data of a Minari data set lie; None where there is none."""
    places = Path(source), Path(source) / "data", _minari_root() / source / "data"
    return next((place for place in places if (place / METADATA).is_file()), None)


def _episode(episode: Any, environment: VectorEnvironment) -> Steps:
    encoder, codec, n = environment.observation_encoder, environment.action_codec, len(episode)
    if not codec.contains(episode.actions):
        raise SpaceError(f"expected actions of {codec.space}, got others in episode {episode.id}")
    observations = encoder.encode_batch(episode.observations, n + 1)
    terminated = np.asarray(episode.terminations, np.bool_)
    truncated = np.asarray(episode.truncations, np.bool_).copy()
    truncated[-1] = ~terminated[-1]  # also where the recording was just stopped
    with np.errstate(over="ignore"):  # what becomes infinite is refused
        reward = np.asarray(episode.rewards, np.float32)
    return Steps(
        observations[:-1], codec.to_policy(episode.actions), reward, terminated, truncated,
        observations[1:],
    )  # fmt: skip


def _joined(episodes: Iterable[Steps]) -> Steps:
    columns = list(zip(*episodes, strict=True))
    if not columns:
        raise ConfigError("expected transitions to learn from, got none")
    return Steps(*map(np.concatenate, columns))
