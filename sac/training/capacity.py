"""Whether what learns from an observation fits into memory and onto the disk, before it starts."""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import autograd as torch
from sac.agent.variants import image_plan
from sac.config import AgentConfig, Config
from sac.errors import DiskError, SpaceError
from sac.networks.encoders import FEATURES
from sac.replay.storage.interface import Column
from sac.spaces import ActionCodec, ObservationEncoder, action_codec
from sac.spaces.documents import ELEMENT_LIMIT
from sac.spaces.shrinking import shrinking_advice

MANY_FEATURES = 10_000  # in one observation: with more, a run begins with a warning
NUMBER_BYTES = 4  # of a weight, and of a feature that a network reads
ROW_BYTES = 10  # of a transition in the replay, beside observation and action
MEMORY_INFO = Path("/proc/meminfo")


@dataclass(frozen=True)
class Capacity:
    """What a training may take, in bytes; None where it can't be known.

    `memory` is that of the device that learns.
    """

    config: Config
    memory: int | None
    disk: int | None

    @classmethod
    def of(cls, config: Config, device: torch.device) -> "Capacity":
        """Return what is free now, for a new run."""
        on_gpu = device.type == "cuda"
        memory = torch.cuda.mem_get_info(device)[0] if on_gpu else _available_memory()
        return cls(config, memory, _free_disk(Path(config.logging.root)))

    def checked(self, env: Any) -> Any:
        """Return a (vector) environment; SACError for one whose observations can't fit."""
        prefix = "single_" if hasattr(env, "single_observation_space") else ""
        self.check(*(getattr(env, f"{prefix}{kind}_space") for kind in ("observation", "action")))
        return env

    def check(self, observation_space: Any, action_space: Any) -> None:
        """Raise SpaceError for an observation, DiskError for a replay that can't fit.

        They have figures, and what helps.
        """
        encoder = ObservationEncoder(observation_space)
        self._check_observation(encoder)
        self._check_replay(encoder, action_codec(action_space))

    def _check_observation(self, encoder: ObservationEncoder) -> None:
        features, batch_size = math.prod(encoder.shape), self.config.train.batch_size
        memory = learning_bytes(self.config.agent, encoder, batch_size)
        reasons, cures = list[str](), [shrinking_advice(encoder.space)]
        if features > ELEMENT_LIMIT:
            reasons.append(f"a saved agent may have at most {ELEMENT_LIMIT:,}")
        if self.memory is not None and memory > self.memory:
            reasons.append(
                "the first layers of the networks, their optimizers, a checkpoint and a batch take "
                f"{_size(memory)} of memory, and {_size(self.memory)} are available"
            )
            cures.append("smaller agent.hidden_sizes and train.batch_size take less memory")
        if reasons:
            raise SpaceError(
                f"the observation {encoder.space} has {features:,} features, which do not "
                f"fit: {'; '.join(reasons)}. What helps: {'; '.join(cures)}."
            )

    def _check_replay(self, encoder: ObservationEncoder, codec: ActionCodec) -> None:
        train, features = self.config.train, math.prod(encoder.shape)
        rows = min(train.buffer_size, train.total_steps)
        action = Column.of(codec.shape, codec.dtype)
        row = Column.of(*encoder.stored_row).row_bytes + action.row_bytes + ROW_BYTES
        if self.disk is None or rows * row <= self.disk:
            return
        room, cures = self.disk // row, ["more room there, or another logging.root"]
        if room > max(train.batch_size, self.config.env.num_envs):  # which a buffer must hold
            cures.append(f"a train.buffer_size below {room:,} fits")
        if features > MANY_FEATURES:
            cures.append(shrinking_advice(encoder.space))
        raise DiskError(
            f"the replay does not fit on the disk of {self.config.logging.root!r}: {rows:,} "
            "transitions (train.buffer_size, or train.total_steps if that is less) with "
            f"observations of {features:,} features take {_size(rows * row)}, and "
            f"{_size(self.disk)} are free. What helps: {'; '.join(cures)}."
        )


def size_note(encoder: ObservationEncoder, config: AgentConfig) -> list[str]:
    """Return a warning for an observation that will be slow to learn from."""
    images = image_plan(config, encoder)
    features = math.prod(encoder.shape) if images is None else images.features
    if features <= MANY_FEATURES:
        return []
    return [
        f"the observation has {features:,} features, more than {MANY_FEATURES:,}: every update "
        "multiplies all of them by the first layers of all networks, which takes most of its "
        f"time; {shrinking_advice(encoder.space)}"
    ]


def learning_bytes(agent: AgentConfig, encoder: ObservationEncoder, batch_size: int) -> int:
    """Return the least memory that updates take for the features of an observation.

    That are the weights which read them, with gradients and both moments of Adam, those of the
    target networks, what a checkpoint copies of these, and a batch with its next observations.
    """
    images, columns = image_plan(agent, encoder), math.prod(encoder.shape)
    features, projection = columns, 0
    if images is not None:
        features, projection = images.features, images.projected * FEATURES
    critic_sizes = agent.critic_hidden_sizes
    if critic_sizes is None:
        critic_sizes = agent.hidden_sizes
    first = [sizes[0] if sizes else 1 for sizes in (agent.hidden_sizes, critic_sizes)]
    critic_units = agent.num_soft_q_nets * first[1]
    target_units = 0 if agent.critic == "crossq" else critic_units
    learned = first[0] + critic_units
    weights = features * ((4 + 3) * learned + (1 + 1) * target_units) + (4 + 3) * projection
    return NUMBER_BYTES * (weights + columns * 2 * batch_size)


def _available_memory() -> int | None:
    try:
        lines = MEMORY_INFO.read_text(encoding="ascii").splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if "MemAvailable:" in line)
    except (OSError, StopIteration):  # not on Linux: then a MemoryError tells
        return None


def _free_disk(root: Path) -> int | None:
    """Return what is free where a folder is, or is to be made; None where no disk is, as /proc."""
    try:
        absolute = root.absolute()
        there = next(folder for folder in (absolute, *absolute.parents) if folder.exists())
        usage = shutil.disk_usage(there)
        return usage.free if usage.total else None
    except OSError:
        return None


def _size(number: int) -> str:
    return f"{number / 1e9:,.1f} GB" if number >= 10**9 else f"{number / 1e6:,.1f} MB"
