"""Experience replay that stores each observation once: adds transitions and samples batches."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.random import Generator, SeedSequence
from numpy.typing import DTypeLike

import autograd as torch
from sac.config.train import BUFFER_LIMIT
from sac.errors import ConfigError
from sac.replay.batch import Batch
from sac.replay.frames import Frames
from sac.replay.gpu_mirror import ReplayMirror
from sac.replay.rings import Rings, Stored
from sac.replay.sampling.hindsight import Hindsight
from sac.replay.sampling.n_step import NStep
from sac.replay.sampling.one_step import OneStep
from sac.replay.sampling.prioritized import Priorities
from sac.replay.sampling.uniform import draw_rows
from sac.replay.storage.interface import Column, Storage
from sac.replay.storage.memory import MemoryStorage
from sac.seeding import generator as new_generator
from sac.seeding import generator_to_json, restore_generator
from sac.spaces.packing import Packing


class ReplayBuffer:
    """The last `capacity` transitions of all environments together.

    They lie in memory, which is reserved at once and touched as it fills (ConfigError if it is more
    than there is), or where `storage` keeps them. `truncate` is that of the rings. Draws are
    uniform or, with a `priority_alpha` above 0, by `priorities`. A `hindsight` that is set gives a
    share of them other goals. Of observations that are stacks of `frames`, each frame is kept once;
    with a `packing`, rows of float32 are kept as bytes.
    """

    def __init__(
        self,
        capacity: int,
        num_envs: int,
        observation_shape: tuple[int, ...],
        observation_dtype: DTypeLike,
        action_shape: tuple[int, ...],
        action_dtype: DTypeLike,
        generator: Generator,
        *,
        gamma: float,
        n_step: int = 1,
        priority_alpha: float = 0.0,
        priority_beta: float = 1.0,
        frames: Frames | None = None,
        packing: Packing | None = None,
        storage: Storage | None = None,
    ) -> None:
        if not num_envs <= capacity <= BUFFER_LIMIT:
            raise ConfigError(
                f"train.buffer_size: expected from {num_envs} (one transition for each of the "
                f"environments) to {BUFFER_LIMIT}, got {capacity}"
            )
        self.storage = MemoryStorage() if storage is None else storage
        observation = Column.of(
            observation_shape if frames is None else observation_shape[1:], observation_dtype
        )
        if packing is not None:
            observation = Column.of((packing.row_bytes,), np.uint8)
        action = Column.of(action_shape, action_dtype)
        try:
            self.rings = Rings(
                capacity, num_envs, observation, action, self.storage, frames, packing
            )
        except MemoryError as error:
            raise ConfigError(
                f"train.buffer_size: {capacity} transitions need more memory than there is "
                f"({error}); expected a smaller buffer or smaller observations"
            ) from error
        self.truncate = self.rings.truncate
        self.hindsight: Hindsight | None = None
        self._generator = generator
        self._one_step = OneStep(gamma)
        self._targets = self._one_step if n_step == 1 else NStep(self.rings, gamma, n_step)
        self.priorities = (
            Priorities(self.rings, priority_alpha, priority_beta) if priority_alpha > 0 else None
        )
        self._mirror: ReplayMirror | None = None

    def __len__(self) -> int:
        return len(self.rings)

    def add(self, *columns: np.ndarray, **named: np.ndarray) -> None:
        """Store transitions, as `Rings.add` does."""
        new, gone = self.rings.add(*columns, **named)
        if self.priorities is not None:
            self.priorities.added(new, gone)
        if self.hindsight is not None:
            self.hindsight.added(new)

    def sample(self, batch_size: int, progress: float = 1.0) -> Batch:
        """Draw a batch; IndexError where nothing is stored. `progress`: see `Priorities.draw`."""
        read = self.rings.read if self._mirror is None else self._mirror.read
        if self.priorities is None:
            return self._batch(draw_rows(self.rings, batch_size, self._generator), read)
        rows, weight = self.priorities.draw(batch_size, self._generator, progress)
        batch = self._batch(rows, read)
        if isinstance(batch.reward, torch.Tensor):
            return replace(batch, weight=torch.as_tensor(weight, device=batch.reward.device))
        return replace(batch, weight=weight)

    @property
    def uniform_weight(self) -> float:
        """What a uniform draw would weigh on the scale of the last batch's weights."""
        return 1.0 if self.priorities is None else self.priorities.uniform_weight

    def _batch(self, rows: np.ndarray, read: Callable[..., Stored]) -> Batch:
        batch = self._targets.batch(rows, read)
        if self.hindsight is None:
            return batch
        return self.hindsight.relabelled(batch, rows, self._generator)

    def learned(self, metrics: Mapping[str, Any]) -> None:
        """Take what the update on the last sample measured: priorities follow its `td_error`."""
        if self.priorities is not None:
            self.priorities.learned(metrics["td_error"].numpy(force=True))

    def peek(self, batch_size: int, generator: Generator) -> Batch:
        """Draw uniformly by another generator, into host memory: the training's stays."""
        rows = draw_rows(self.rings, batch_size, generator)
        return self._targets.batch(rows, self.rings.read)

    def peek_steps(self, batch_size: int, generator: Generator) -> Batch:
        """Draw single steps, whatever `sample` sums up, as `peek` does."""
        rows = draw_rows(self.rings, batch_size, generator)
        return self._one_step.batch(rows, self.rings.read)

    def mirror_on(self, device: torch.device) -> None:
        """Let `sample` draw tensors from a copy on a GPU; MemoryError if that lacks the memory."""
        self._mirror = ReplayMirror(self.rings, device)

    def generator_state(self) -> dict[str, Any]:
        """Return the state of the sampling generator, as a JSON document."""
        return generator_to_json(self._generator)

    def load_generator_state(self, document: dict[str, Any]) -> None:
        """Continue sampling from a `generator_state`; CheckpointError on a wrong one."""
        restore_generator(self._generator, document)

    def reseed(self, stream: SeedSequence) -> None:
        """Continue sampling with random numbers from the start of a stream."""
        self._generator = new_generator(stream)

    def commit(self) -> dict[str, Any]:
        """Force the storage onto the disk, or raise OSError; return a document for `load`."""
        return {"tables": self.storage.commit(), **self.rings.state_dict()}

    def load(self, document: Mapping[str, Any]) -> None:
        """Continue from a `commit`; CheckpointError, after which the buffer is useless."""
        self.storage.load(document.get("tables"))
        self.rings.load_state_dict(document)
        if self.hindsight is not None:
            self.hindsight.loaded()
