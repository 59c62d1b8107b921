"""The replay of a run: a new one, or that of a checkpoint to look at."""

import autograd as torch
from sac.config import Config
from sac.disk.encoding import unreadable
from sac.errors import CheckpointError, ConfigError
from sac.replay.buffer import ReplayBuffer
from sac.replay.frames import Frames
from sac.replay.gpu_mirror import ReplayMirror
from sac.replay.storage.disk import DiskStorage
from sac.replay.storage.interface import Storage
from sac.run.checkpoint import REPLAY, Checkpoint, check_replay
from sac.run.layout import REPLAY_FOLDER
from sac.seeding import Streams, generator
from sac.spaces import ActionCodec, ObservationEncoder


def new_replay(
    config: Config,
    num_envs: int,
    encoder: ObservationEncoder,
    codec: ActionCodec,
    storage: Storage | None = None,
) -> ReplayBuffer:
    """Build an empty one for these environments, in memory or in `storage`."""
    return ReplayBuffer(
        config.train.buffer_size,
        num_envs,
        encoder.shape,
        encoder.dtype,
        codec.shape,
        codec.dtype,
        generator(Streams.from_seed(config.seed).replay),
        gamma=config.agent.gamma,
        n_step=config.train.n_step,
        priority_alpha=config.train.priority_alpha,
        priority_beta=config.train.priority_beta,
        frames=None if encoder.padding is None else Frames(encoder.shape[0], encoder.padding),
        packing=encoder.packing,
        storage=storage,
    )


def place_batches(config: Config, device: torch.device, replay_buffer: ReplayBuffer) -> None:
    """Draw an agent's batches where `train.buffer_device` says; ConfigError if impossible."""
    where = config.train.buffer_device
    if where == "cuda" and device.type == "cpu":
        raise ConfigError(
            "train.buffer_device: expected auto or cpu, as the agent learns on the CPU, got cuda; "
            "set device: cuda"
        )
    if where == "cpu" or device.type == "cpu":
        return
    if where == "auto" and not ReplayMirror.fits(replay_buffer.rings, device):
        return
    try:
        replay_buffer.mirror_on(device)
    except MemoryError as error:
        raise ConfigError(
            f"train.buffer_device: {config.train.buffer_size} transitions need more memory than "
            f"{device} has ({error}); set it to cpu, or train.buffer_size lower"
        ) from error


def saved_replay(
    checkpoint: Checkpoint, encoder: ObservationEncoder, codec: ActionCodec
) -> ReplayBuffer:
    """Return the replay of a checkpoint, to read and not to write; CheckpointError for damage."""
    if not checkpoint.documents.keys() >= {REPLAY, "config"}:
        raise CheckpointError(f"'{checkpoint.folder}' holds no replay")
    config = Config.from_dict(checkpoint.documents["config"])
    run_directory = checkpoint.folder.parent.parent
    check_replay(checkpoint, run_directory)
    replay_buffer = new_replay(
        config, config.env.num_envs, encoder, codec, DiskStorage(is_writable=False)
    )
    try:
        replay_buffer.storage.open(run_directory / REPLAY_FOLDER)
    except OSError as error:
        raise unreadable(run_directory / REPLAY_FOLDER, error) from error
    replay_buffer.load(checkpoint.documents[REPLAY])
    return replay_buffer
