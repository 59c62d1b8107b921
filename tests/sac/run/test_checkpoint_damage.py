"""A checkpoint that is damaged, or made by a stranger to do harm, is refused by name."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sac.errors import CheckpointError
from sac.run.checkpoint import load_checkpoint, save_checkpoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A good checkpoint."""
    folder = tmp_path / "checkpoints" / "5"
    tensors = {"policy": {"weight": np.ones(3)}, "agent": {"log_alpha": np.array(0.5)}}
    save_checkpoint(folder, tensors, {"trainer": {"episodes": 3}}, step=5)
    return folder


def flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("filename", ["policy.safetensors", "agent.safetensors", "trainer.json"])
@pytest.mark.parametrize("damage", [flip_a_bit, truncate, Path.unlink])
def test_damage_is_named(folder: Path, filename: str, damage: Callable[[Path], None]) -> None:
    damage(folder / filename)
    with pytest.raises(CheckpointError, match=filename.replace(".", r"\.")):
        load_checkpoint(folder)


def test_a_file_of_another_size_is_not_even_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(folder / "policy.safetensors", "ab") as file:
        file.truncate(10**12)  # takes no room on the disk, but would in memory

    def read(path: Path) -> bytes:
        raise AssertionError("read before all sizes were compared")

    monkeypatch.setattr("sac.run.manifest.read_file", read)
    with pytest.raises(CheckpointError, match="1000000000000"):
        load_checkpoint(folder)


def test_damage_after_loading_is_noticed_too(folder: Path) -> None:
    checkpoint = load_checkpoint(folder)
    flip_a_bit(checkpoint.folder / "policy.safetensors")
    with pytest.raises(CheckpointError, match=r"policy\.safetensors"):
        checkpoint.tensors["policy"]


MANIFEST_DAMAGE = {
    "not JSON": b"{",
    "undecodable": b"\xff\xfe\x00",
    "a list": b"[]",
    "empty": b"",
    "deep": b'{"a":' * 100_000,
    "twice the same": b'{"format": "sac-checkpoint", "format": "sac-checkpoint"}',
    "huge number": b'{"format": "sac-checkpoint", "step": %s}' % (b"9" * 10_000),
    "foreign": b'{"format": "other"}',
}


@pytest.mark.parametrize("content", MANIFEST_DAMAGE.values(), ids=MANIFEST_DAMAGE.keys())
def test_damaged_manifest_is_named(folder: Path, content: bytes) -> None:
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"manifest\.json"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"step": None},
        {"step": -1},
        {"step": True},
        {"step": float("nan")},
        {"format_version": 3.0},
        {"format_version": True},
        {"files": []},
        {"files": {"../../secret.json": {"size": 1, "sha256": ""}}},
        {"files": {"/etc/passwd": {"size": 1, "sha256": ""}}},
        {"files": {"policy.safetensors": {"size": "big", "sha256": ""}}},
        {"files": {"policy.safetensors": 3}},
        {"versions": 3},
        {"format_version": 999},
    ],
    ids=str,
)
def test_hostile_manifest_is_refused(folder: Path, changes: dict) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(CheckpointError, match=r"manifest\.json"):
        load_checkpoint(folder)


def hostile_safetensors(header: object, data: bytes = b"") -> bytes:
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


ENTRY = b'"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}'


def hostile_text(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def float_entry(**changes: object) -> dict[str, object]:
    return {"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4], **changes}}


HOSTILE_SAFETENSORS = {
    "huge header": struct.pack("<Q", 2**62) + b"{}",
    "short": b"\x00",
    "not JSON": struct.pack("<Q", 2) + b"[[",
    "outside the file": hostile_safetensors(float_entry(data_offsets=[0, 2**40]), b"1234"),
    "huge shape": hostile_safetensors(float_entry(shape=[2**40, 2**40]), b"1234"),
    "negative shape": hostile_safetensors(float_entry(shape=[-1]), b"1234"),
    "unknown dtype": hostile_safetensors(float_entry(dtype="OBJECT"), b"1234"),
    "shape of another size": hostile_safetensors(float_entry(shape=[2]), b"1234"),
    "dtype of another size": hostile_safetensors(float_entry(dtype="F64"), b"1234"),
    "ends before it begins": hostile_safetensors(float_entry(data_offsets=[4, 0]), b"1234"),
    "a gap": hostile_safetensors(float_entry(data_offsets=[4, 8]), b"12345678"),
    "more than was told": hostile_safetensors(float_entry(), b"12345678"),
    "overlapping": hostile_safetensors(
        float_entry() | {"y": {"dtype": "F32", "shape": [1], "data_offsets": [2, 6]}}, b"123456"
    ),
    "shared": hostile_safetensors(
        float_entry() | {"y": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"1234"
    ),
    "empty and huge": hostile_safetensors(float_entry(shape=[0, 2**62], data_offsets=[0, 0])),
    "many dimensions": hostile_safetensors(float_entry(shape=[1] * 1000), b"1234"),
    "not a number": hostile_text(
        b'{"x": {"dtype": "F32", "shape": [NaN], "data_offsets": [0, 0]}}'
    ),
    "deep": hostile_text(b'{"x":' * 100_000),
    "twice the same": hostile_text(b"{%s, %s}" % (ENTRY, ENTRY), b"1234"),
    "dtype without NumPy": hostile_safetensors(
        float_entry(dtype="BF16", data_offsets=[0, 2]), b"12"
    ),
}


@pytest.mark.parametrize("content", HOSTILE_SAFETENSORS.values(), ids=HOSTILE_SAFETENSORS.keys())
def test_hostile_safetensors_are_refused(folder: Path, content: bytes) -> None:
    """A stranger's checkpoint can have a manifest that fits its hostile files."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("sac.run.checkpoint.encode_tensors", lambda arrays: content)
        save_checkpoint(folder, {"policy": {}}, {}, step=5)
    with pytest.raises(CheckpointError, match=r"policy\.safetensors"):
        load_checkpoint(folder).tensors["policy"]
