"""A checkpoint's manifest: what files it must hold, so that a damaged one is never used."""

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sac.disk.encoding import encode_document, file_size, read_document, read_file, unreadable
from sac.errors import CheckpointError

MANIFEST_FILE = "manifest.json"
FORMAT = "sac-checkpoint"
FORMAT_VERSION = 3
MISMATCH = f"its content does not match the checksum in {MANIFEST_FILE}"


@dataclass(frozen=True)
class FileRecord:
    """Size in bytes and SHA-256 in hex of one file."""

    size: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> "FileRecord":
        """Return the record of a file with these bytes."""
        return cls(len(data), hashlib.sha256(data).hexdigest())


@dataclass(frozen=True)
class Manifest:
    """The step of a checkpoint, its files by name and the versions it was computed with."""

    step: int
    files: dict[str, FileRecord]
    versions: dict[str, str]

    def encode(self) -> bytes:
        """Return the bytes of the manifest's own file."""
        return encode_document({"format": FORMAT, "format_version": FORMAT_VERSION, **asdict(self)})


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest; CheckpointError if it is missing, damaged or of another format."""
    path = folder / MANIFEST_FILE
    document = read_document(path)
    if document.get("format") != FORMAT:
        raise CheckpointError(f"'{path}' is not the manifest of a checkpoint of this library.")
    version = document.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise CheckpointError(
            f"Expected checkpoint format version {FORMAT_VERSION} in '{path}', got "
            f"{version!r:.100}. Read it with the version of sac that wrote it."
        )
    try:
        return Manifest(
            step=_whole_number(document["step"]),
            files={_plain(name): _record(entry) for name, entry in document["files"].items()},
            versions={str(name): str(value) for name, value in document["versions"].items()},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(f"'{path}' is damaged ({error}). Use another checkpoint.") from error


def read_verified(path: Path, record: FileRecord) -> bytes:
    """Return the bytes of a file; CheckpointError if they are not those that were recorded."""
    check_size(path, record)
    data = read_file(path)
    if FileRecord.of(data) != record:
        raise _damaged(path, MISMATCH)
    return data


def verify(path: Path, record: FileRecord) -> None:
    """Raise CheckpointError if a file differs from its record; memory holds one block of it."""
    check_size(path, record)
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error
    if digest != record.sha256:
        raise _damaged(path, MISMATCH)


def _damaged(path: Path, fault: str) -> CheckpointError:
    return CheckpointError(f"'{path}' is damaged: {fault}. Use another checkpoint.")


def check_size(path: Path, record: FileRecord) -> None:
    """Raise CheckpointError if a file's size is not the recorded one, without reading the file."""
    size = file_size(path)
    if size != record.size:
        raise _damaged(path, f"expected {record.size} bytes, found {size}")


def is_plain_name(name: str) -> bool:
    """Return whether a checkpoint may hold such a file: a path into a folder is never followed."""
    return re.fullmatch(r"[A-Za-z0-9_]+\.(safetensors|json)", name) is not None


def _plain(name: str) -> str:
    if not is_plain_name(name):
        raise ValueError(f"{name!r} is not the name of a checkpoint's file")
    return name


def _record(entry: dict[str, Any]) -> FileRecord:
    return FileRecord(_whole_number(entry["size"]), str(entry["sha256"]))


def _whole_number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"expected a whole number, got {value!r}")
    return value
