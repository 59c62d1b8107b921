"""The replay of a run: a new one, or that of a checkpoint to look at."""

from sac.agent.agent import SACAgent
from sac.config import Config
from sac.errors import CheckpointError, ConfigError
from sac.replay import rings as replay_state
from sac.replay.buffer import ReplayBuffer
from sac.replay.gpu_mirror import ReplayMirror
from sac.replay.storage.tables import DiskStorage, Storage
from sac.run.checkpoint import REPLAY, Checkpoint, check_replay
from sac.run.layout import REPLAY_FOLDER
from sac.seeding import Streams, generator


def new_replay(
    config: Config, num_envs: int, agent: SACAgent, storage: Storage | None
) -> ReplayBuffer:
    """Build an empty one for these environments, in memory or in `storage`."""
    encoder, codec = agent.observation_encoder, agent.action_codec
    return ReplayBuffer(
        config.train.buffer_size,
        num_envs,
        encoder.shape,
        encoder.dtype,
        codec.shape,
        codec.dtype,
        generator(Streams.from_seed(config.seed).replay),
        storage,
    )


def place_batches(config: Config, agent: SACAgent, replay_buffer: ReplayBuffer) -> None:
    """Draw batches where `train.buffer_device` says; ConfigError where that can't be."""
    where, device = config.train.buffer_device, agent.device
    if where == "cuda" and device.type == "cpu":
        raise ConfigError(
            "train.buffer_device: expected auto or cpu, as the agent learns on the CPU, got cuda; "
            "set device: cuda"
        )
    if where == "cpu" or device.type == "cpu":
        return
    if where == "auto" and not ReplayMirror.fits(replay_buffer, device):
        return
    try:
        replay_buffer.mirror_on(device)
    except MemoryError as error:
        raise ConfigError(
            f"train.buffer_device: {config.train.buffer_size} transitions need more memory than "
            f"{device} has ({error}); set it to cpu, or train.buffer_size lower"
        ) from error


def saved_replay(checkpoint: Checkpoint, agent: SACAgent) -> ReplayBuffer:
    """Return what the run of a checkpoint had collected, to be looked at and not to be written.

    Raises:
        CheckpointError: It is not there, damaged, or can't be opened.
    """
    config = Config.from_dict(checkpoint.documents["config"])
    document = checkpoint.documents.get(REPLAY)
    if document is None and REPLAY not in checkpoint.tensors:
        raise CheckpointError(f"'{checkpoint.folder}' holds no replay")
    storage = None if document is None else DiskStorage()
    replay_buffer = new_replay(config, config.env.num_envs, agent, storage)
    if document is None or storage is None:
        replay_buffer.load_state_dict(checkpoint.tensors[REPLAY])
        return replay_buffer
    run_directory = checkpoint.folder.parent.parent
    check_replay(checkpoint, run_directory)
    try:
        storage.open(run_directory / REPLAY_FOLDER)
    except OSError as error:
        raise CheckpointError(f"Can't read '{run_directory}': {error.strerror}.") from error
    replay_state.load(replay_buffer, storage, document)
    return replay_buffer
