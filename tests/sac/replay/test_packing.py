"""Rows with bytes beside floats: stored in bytes, and drawn as they came."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

import autograd as torch
from sac import train
from sac.replay.buffer import ReplayBuffer
from sac.run.checkpoint import find_checkpoint, load_checkpoint
from sac.spaces import ObservationEncoder
from sac.spaces.packing import Packing
from tests.sac.replay.test_buffer import make_buffer
from tests.sac.replay.test_gpu_mirror import assert_same
from tests.sac.tiny_runs import assert_same_arrays, saved_arrays, tiny_config

SPACE = spaces.Dict(
    camera=spaces.Box(0, 255, (2, 3, 1), np.uint8),
    flag=spaces.Discrete(3),
    place=spaces.Box(-9, 9, (2,), np.float32),
    zeal=spaces.Box(0, 255, (3,), np.uint8),
)
FEATURES = 6 + 3 + 2 + 3


def test_rows_come_back_and_are_as_small_as_can_be() -> None:
    encoder = ObservationEncoder(SPACE)
    assert (encoder.shape, encoder.dtype) == ((FEATURES,), np.float32)
    assert encoder.stored_row == ((20,), np.uint8)  # 8 of floats, 12 of bytes
    assert encoder.packing is not None
    SPACE.seed(1)
    rows = np.stack([encoder.encode(SPACE.sample()) for _ in range(5)])
    packed = encoder.packing.pack(rows)
    assert packed.shape == (5, 20)
    np.testing.assert_array_equal(encoder.packing.unpack(packed), rows)


@pytest.mark.parametrize(
    "space",
    [
        spaces.Box(0, 255, (8,), np.uint8),
        spaces.Dict(a=spaces.Box(0, 255, (8,), np.uint8), b=spaces.Discrete(3)),
        spaces.Dict(a=spaces.Box(0, 1, (8,), np.float32), b=spaces.Discrete(3)),
    ],
)
def test_rows_of_one_dtype_stay_as_they_are(space: spaces.Space) -> None:
    encoder = ObservationEncoder(space)
    assert encoder.packing is None and encoder.stored_row == (encoder.shape, encoder.dtype)


def transitions(rng: np.random.Generator) -> list[np.ndarray]:
    def observed() -> np.ndarray:
        numbers = rng.integers(0, 256, (2, FEATURES)).astype(np.float32)
        numbers[:, 9:11] = rng.normal(size=(2, 2))
        return numbers

    ended = rng.random(2) < 0.3
    return [
        observed(), rng.normal(size=(2, 1)), rng.random(2), ended, ended & False, observed(),
        rng.random(2) < 0.9,
    ]  # fmt: skip


def buffers(**keys: Any) -> list[ReplayBuffer]:
    packing = Packing([6, 3, 2, 3], [True, True, False, True])
    return [
        make_buffer(14, 2, observation_shape=(FEATURES,), packing=each, **keys)
        for each in (None, packing)
    ]


@pytest.mark.parametrize("n_step", [1, 3])
def test_batches_are_those_of_floats(n_step: int) -> None:
    plain, packed = buffers(n_step=n_step)
    rng = np.random.default_rng(0)
    for _ in range(40):
        columns = transitions(rng)
        for buffer in (plain, packed):
            buffer.add(*columns)
        if len(plain):
            expected = plain.sample(8).arrays()
            for name, array in packed.sample(8).arrays().items():
                assert array.dtype == expected[name].dtype
                np.testing.assert_array_equal(array, expected[name])


def test_a_copy_on_the_gpu_gives_the_same_batches(cuda: str) -> None:
    _, packed = buffers()
    _, mirrored = buffers()
    mirrored.mirror_on(torch.device("cuda"))
    first, second = (np.random.default_rng(0) for _ in range(2))
    for _ in range(40):
        packed.add(*transitions(first))
        mirrored.add(*transitions(second))
        if len(packed):
            assert_same(mirrored.sample(8), packed.sample(8))


def test_a_run_stores_bytes_and_goes_on_exactly(tmp_path: Path) -> None:
    env = {"id": "tests.sac.images_for_tests:Spot-v0", "kwargs": {"sign": True}}
    keys = {"env": env, "evaluation": {"env": "none"}, "train": {"total_steps": 30}}
    config = tiny_config(tmp_path, keys)
    more = {"train": {"total_steps": 40}}
    whole, part = train(config.merged(more)).run_directory, train(config).run_directory
    train(resume=part, overrides=more)
    for name in ("agent", "replay"):
        assert_same_arrays(saved_arrays(part, name), saved_arrays(whole, name))
    table = load_checkpoint(find_checkpoint(whole, "last")).documents["replay"]["tables"]["ring"]
    assert table["columns"]["observation"] == {"dtype": "|u1", "shape": [36 * 36 + 4]}
