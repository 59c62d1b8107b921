"""The replay's copy on a GPU gives the replay's own batches, by one transfer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd as torch
from autograd import Tensor
from sac.config import Config
from sac.errors import ConfigError
from sac.replay.batch import Batch
from sac.replay.buffer import ReplayBuffer
from sac.replay.gpu_mirror import ReplayMirror
from sac.replay.storage.disk import DiskStorage
from sac.run.saved_replay import place_batches
from tests.cupy_standin import counting, without_synchronization
from tests.on_devices import standin_gpu

KINDS: list[Any] = [  # shape and dtype of observations, then of actions
    ((3,), np.float32, (2,), np.float32),
    ((2, 3), np.uint8, (), np.int64),
    ((), np.float32, (1,), np.float32),
]


def replay(
    capacity: int, num_envs: int, kind: Any, storage: DiskStorage | None = None
) -> ReplayBuffer:
    generator = np.random.default_rng(3)
    shape, dtype, action_shape, action_dtype = kind
    return ReplayBuffer(
        capacity, num_envs, shape, dtype, action_shape, action_dtype, generator,
        gamma=0.99, storage=storage,
    )  # fmt: skip


def buffers(kind: Any, capacity: int = 14) -> tuple[ReplayBuffer, ReplayBuffer]:
    """Two alike, of which the second has a copy on the GPU."""
    pair = [replay(capacity, 2, kind) for _ in range(2)]
    pair[1].mirror_on(torch.device("cuda"))
    return pair[0], pair[1]


def transition(rng: np.random.Generator, kind: Any) -> list[np.ndarray]:
    shape, dtype, action_shape, action_dtype = kind

    def numbers(shape: Any, dtype: Any) -> np.ndarray:
        return rng.integers(0, 200, (2, *shape)).astype(dtype)

    ended = rng.random(2) < 0.3
    return [
        numbers(shape, dtype), numbers(action_shape, action_dtype), rng.random(2), ended,
        ended & False, numbers(shape, dtype), rng.random(2) < 0.9,
    ]  # fmt: skip


def assert_same(found: Batch, expected: Batch) -> None:
    for name, array in expected.arrays().items():
        tensor: Any = getattr(found, name)
        assert isinstance(tensor, Tensor) and tensor.device.type == "cuda"
        host = tensor.numpy(force=True)
        assert (host.dtype, host.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(host, array)


@pytest.mark.parametrize("kind", KINDS)
def test_batches_are_those_of_the_replay(kind: Any, cuda: str) -> None:
    """With observations kept aside, rings that wrap around, and steps that are not stored."""
    plain, mirrored = buffers(kind)
    rng = np.random.default_rng(0)
    for _ in range(40):
        values = transition(rng, kind)
        for buffer in (plain, mirrored):
            buffer.add(*values)
        if len(plain):
            assert_same(mirrored.sample(9), plain.sample(9))


def test_all_is_sent_anew_after_a_load(
    cuda: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sac.replay.gpu_mirror.CHUNK", 4)  # so that it takes several copies
    plain, mirrored = (replay(14, 2, KINDS[0], DiskStorage()) for _ in range(2))
    mirrored.mirror_on(torch.device("cuda"))
    rng = np.random.default_rng(1)
    plain.storage.open(tmp_path / "replay")
    for _ in range(10):
        plain.add(*transition(rng, KINDS[0]))
    document = plain.commit()
    mirrored.storage.open(tmp_path / "other")
    mirrored.add(*transition(rng, KINDS[0]))
    mirrored.sample(2)
    mirrored.storage.open(tmp_path / "replay")
    mirrored.load(document)
    mirrored.load_generator_state(plain.generator_state())
    assert_same(mirrored.sample(20), plain.sample(20))


def test_a_draw_is_one_copy_and_four_kernels_and_never_waits() -> None:
    with standin_gpu():
        _, mirrored = buffers(KINDS[0])
        rng = np.random.default_rng(2)
        for _ in range(4):
            mirrored.add(*transition(rng, KINDS[0]))
            mirrored.sample(8)
        mirrored.add(*transition(rng, KINDS[0]))
        with counting() as counts, without_synchronization():
            mirrored.sample(8)
    of_the_discount = ["cupy_subtract", "cupy_multiply"]
    assert counts.kernels == ["write_records", "read_records", *of_the_discount]
    assert counts.to_device == 1
    assert counts.to_host == 0


def config(buffer_device: str) -> Config:
    return Config.from_dict({"train": {"buffer_device": buffer_device, "buffer_size": 256}})


@pytest.mark.parametrize(
    ("where", "free", "mirrored"),
    [("auto", 10**9, True), ("auto", 100, False), ("cpu", 10**9, False), ("cuda", 100, True)],
)
def test_where_batches_come_from(
    where: str, free: int, mirrored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standin_gpu():
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, 10**9))
        buffer = replay(256, 1, KINDS[0])
        place_batches(config(where), torch.device("cuda"), buffer)
        assert (buffer._mirror is not None) == mirrored


def test_a_gpu_for_the_batches_alone_is_refused() -> None:
    buffer = replay(256, 1, KINDS[0])
    with pytest.raises(ConfigError, match=r"train\.buffer_device: expected auto or cpu"):
        place_batches(config("cuda"), torch.device("cpu"), buffer)


def test_memory_that_the_gpu_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: ReplayMirror, *args: Any) -> None:
        raise MemoryError("Out of memory allocating 100 bytes")

    monkeypatch.setattr(ReplayMirror, "__init__", full)
    buffer = replay(256, 1, KINDS[0])
    with pytest.raises(ConfigError, match="need more memory than cuda has"):
        place_batches(config("cuda"), torch.device("cuda"), buffer)
