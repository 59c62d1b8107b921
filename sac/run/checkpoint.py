"""Checkpoints: safetensors and JSON under a manifest, whole or not there, verified before use.

A checkpoint is a folder with `<name>.safetensors` for each set of tensors, `<name>.json` for each
document, and `manifest.json` with the step and the size and SHA-256 of every file. The transitions
of a run lie in files beside its checkpoints, which `replay.json` refers to.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sac.disk import files
from sac.disk.encoding import (
    Tensors,
    decode_document,
    decode_tensors,
    encode_document,
    encode_tensors,
    read_file,
    unreadable,
)
from sac.errors import CheckpointError, DiskError, UnreadableError
from sac.replay.storage.segments import check_segments
from sac.run.layout import BEST_FOLDER, CHECKPOINTS_FOLDER, REPLAY_FOLDER
from sac.run.manifest import (
    MANIFEST_FILE,
    FileRecord,
    Manifest,
    check_size,
    is_plain_name,
    read_manifest,
    read_verified,
    verify,
)
from sac.run.versions import current_versions

POLICY_FILES = ("policy.json", "policy.safetensors")  # enough to act and to evaluate
REPLAY = "replay"  # the document that says where the transitions lie


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint; `tensors[name]` reads its file when asked for and keeps nothing."""

    folder: Path
    step: int
    tensors: Mapping[str, Tensors]
    documents: dict[str, dict[str, Any]]
    versions: dict[str, str]


def save_checkpoint(
    folder: Path,
    tensors: Mapping[str, Mapping[str, np.ndarray]],
    documents: Mapping[str, Mapping[str, Any]],
    *,
    step: int,
    updates: str | None = None,
) -> None:
    """Write a checkpoint that appears as `folder` only when it is whole and on the disk.

    It replaces an old `folder`. Each set of arrays and each JSON object, which may hold NumPy
    numbers and arrays, is a file. `updates`: see `current_versions`. DiskError if they can't be
    written (full disk, no permission).
    """
    try:
        with files.new_folder(folder, _workspace(folder)) as temporary:
            records = {}
            for filename, data in _encoded_files(tensors, documents):
                files.write_file(temporary / filename, data)
                records[filename] = FileRecord.of(data)
            manifest = Manifest(step, records, current_versions(updates))
            files.write_file(temporary / MANIFEST_FILE, manifest.encode())
    except OSError as error:
        raise DiskError(
            f"Can't write the checkpoint '{folder}': {error.strerror}. "
            "Make room, or set logging.root to a folder that you may write to."
        ) from error


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read a checkpoint after comparing every file's size, then its SHA-256, with the manifest.

    CheckpointError names a file that is missing, damaged or of an unknown format.
    """
    names = {path.name for path in folder.glob("*") if is_plain_name(path.name)}
    if names == set(POLICY_FILES):  # somebody took the policy alone, without a manifest
        records = {name: FileRecord.of(read_file(folder / name)) for name in POLICY_FILES}
        return _verified(folder, Manifest(0, records, {}))
    manifest = read_manifest(folder)
    try:
        return _verified(folder, manifest)
    except CheckpointError:
        # A training that runs may have replaced `best/` between two reads.
        newer = read_manifest(folder)
        if newer == manifest:
            raise
        return _verified(folder, newer)


def _verified(folder: Path, manifest: Manifest) -> Checkpoint:
    for filename, record in manifest.files.items():  # of all, before memory is taken for any
        check_size(folder / filename, record)
    documents = {}
    for filename, record in manifest.files.items():
        path = folder / filename
        if path.suffix == ".json":
            documents[path.stem] = decode_document(read_verified(path, record), path)
        else:
            verify(path, record)
    tensors = _TensorFiles(folder, manifest.files)
    return Checkpoint(folder, manifest.step, tensors, documents, manifest.versions)


class _TensorFiles(Mapping[str, Tensors]):
    """The sets of tensors of a checkpoint; every read is verified once more."""

    def __init__(self, folder: Path, records: Mapping[str, FileRecord]) -> None:
        self._records = {folder / filename: record for filename, record in records.items()}
        self._paths = {path.stem: path for path in self._records if path.suffix == ".safetensors"}

    def __getitem__(self, name: str) -> Tensors:
        path = self._paths[name]
        return decode_tensors(read_verified(path, self._records[path]), path)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def find_checkpoint(path: str | Path, which: str | int = "best") -> Path:
    """Return the checkpoint folder of a run, or `path` itself if it is a checkpoint.

    `which` is "best" (the last, where no evaluation has made a best yet), "last" or a step.
    CheckpointError says what there is instead.
    """
    path, which = Path(path), str(which)
    if not path.is_dir():
        raise CheckpointError(f"Expected the folder of a run or a checkpoint: '{path}' is none.")
    if is_checkpoint(path):
        return path
    if which not in ("best", "last") and not _is_step(which):
        raise CheckpointError(f"Expected checkpoint best, last or a step, got '{which}'.")
    folders: dict[str, Path] = {str(step): folder for step, folder in step_folders(path).items()}
    best = files.existing_folder(path / BEST_FOLDER, path)
    if folders:
        folders["last"] = folders[next(reversed(folders))]
    if best is not None:
        folders["best"] = best
    if not folders:
        if any(path.glob("*.safetensors")):  # a damaged checkpoint, which reading it explains
            return path
        raise CheckpointError(
            f"'{path}' has no checkpoints. Give the directory of a run that has saved one."
        )
    wanted = str(int(which)) if _is_step(which) else which
    if wanted == "best" and "best" not in folders:
        wanted = "last"
    if wanted not in folders:
        raise CheckpointError(
            f"'{path}' has no checkpoint '{which}'. It has: {', '.join(folders)}."
        )
    return folders[wanted]


def is_checkpoint(folder: Path) -> bool:
    """Return whether a folder is a checkpoint, or holds a policy alone."""
    has_policy = all((folder / name).is_file() for name in POLICY_FILES)
    return has_policy or (folder / MANIFEST_FILE).is_file()


def step_folders(run: Path) -> dict[int, Path]:
    """Return the checkpoints of a run by step, oldest first, also one that is being replaced.

    UnreadableError where they can't be listed.
    """
    checkpoints = run / CHECKPOINTS_FOLDER
    try:
        names = os.listdir(checkpoints)
    except (FileNotFoundError, NotADirectoryError):
        names = []
    except OSError as error:
        raise unreadable(checkpoints, error) from error
    names += [path.name.removeprefix(files.REPLACED_PREFIX) for path in files.replaced(run)]
    folders = {}
    for step in sorted({int(name) for name in names if _is_step(name)}):
        folder = files.existing_folder(checkpoints / str(step), run)
        if folder is not None:
            folders[step] = folder
    return folders


def last_usable_checkpoint(run: Path) -> tuple[Checkpoint, dict[int, CheckpointError]]:
    """Load the newest undamaged checkpoint of a run; also say by step what is wrong with newer.

    CheckpointError if there is none, with the fault of the newest; UnreadableError where one that
    need not be damaged can't be read.
    """
    damaged: dict[int, CheckpointError] = {}
    for step, folder in reversed(step_folders(run).items()):
        try:
            checkpoint = load_checkpoint(folder)
            check_replay(checkpoint, run)
            return checkpoint, damaged
        except UnreadableError as error:
            raise UnreadableError(
                f"{error} It need not be damaged: make it readable, or move '{folder}' away to use "
                "the checkpoint before it."
            ) from error
        except CheckpointError as error:
            damaged[step] = error
    if not damaged:
        raise CheckpointError(f"'{run}' has no checkpoints.")
    raise CheckpointError(
        f"None of the {len(damaged)} checkpoints of '{run}' can be used: "
        f"{next(iter(damaged.values()))}"
    )


def check_replay(checkpoint: Checkpoint, run: Path) -> None:
    """Raise CheckpointError if a part of the replay that a checkpoint needs is lost or damaged."""
    document = checkpoint.documents.get(REPLAY)
    if document is not None:
        check_segments(run / REPLAY_FOLDER, document.get("tables"))


def replay_documents(run: Path) -> dict[int, dict[str, Any]]:
    """Return what each undamaged checkpoint of a run refers to in its replay, by step."""
    documents = {}
    for step, folder in step_folders(run).items():
        try:
            path = folder / _filename(REPLAY, "json")
            record = read_manifest(folder).files.get(path.name)
            if record is not None:
                documents[step] = decode_document(read_verified(path, record), path)
        except UnreadableError:
            raise  # what it refers to must not be written over
        except CheckpointError:
            continue  # nobody can go on from it
    return documents


def set_aside(steps: Iterable[int], run: Path) -> None:
    """Move checkpoints out of the way as `<run>/damaged-<step>`: the run goes on before them."""
    folders = step_folders(run)
    try:
        for step in steps:
            aside = run / f"damaged-{step}"
            if aside.exists():
                files.remove_folder(aside)
            files.rename(folders[step], aside)
    except OSError as error:
        raise CheckpointError(
            f"Can't move a damaged checkpoint of '{run}': {error.strerror}."
        ) from error


def is_absent(run: Path, step: int) -> bool:
    """Return whether a run's folder can be seen, but no checkpoint of this step in it."""
    try:
        folder = run / CHECKPOINTS_FOLDER / str(step)
        return run.is_dir() and files.existing_folder(folder, run) is None
    except OSError:
        return False


def prune(checkpoints_folder: Path, keep: int) -> None:
    """Remove all but the newest `keep` checkpoints, and what a crash left of unfinished writes.

    Call it after a save, from the one process that writes into the run: the old go only when the
    new one is safe. DiskError if something can't be removed.
    """
    if keep < 1:
        raise ValueError(f"expected to keep at least 1 checkpoint, got {keep}")
    run = checkpoints_folder.parent
    try:
        for leftover in files.replaced(run):
            name = leftover.name.removeprefix(files.REPLACED_PREFIX)
            files.restore_replaced((checkpoints_folder if _is_step(name) else run) / name, run)
        folders = step_folders(run)
        for step in list(folders)[:-keep]:
            # Renamed first: a crash in the middle must not leave a half one under its name.
            files.rename(folders[step], files.temporary_path(run, str(step)))
        files.remove_temporaries(run)
    except OSError as error:
        raise DiskError(f"Can't remove old checkpoints of '{run}': {error.strerror}.") from error


def _is_step(name: str) -> bool:
    return re.fullmatch(r"[0-9]{1,18}", name) is not None


def _workspace(folder: Path) -> Path:
    """Return where to put the unfinished folder: `checkpoints/` holds only finished ones."""
    parent = folder.parent
    return parent.parent if parent.name == CHECKPOINTS_FOLDER else parent


def _encoded_files(
    tensors: Mapping[str, Mapping[str, np.ndarray]],
    documents: Mapping[str, Mapping[str, Any]],
) -> Iterator[tuple[str, bytes]]:
    """Yield one file's name and bytes after the other's, so that memory holds one at a time."""
    for name, arrays in tensors.items():
        yield _filename(name, "safetensors"), encode_tensors(arrays)
    for name, document in documents.items():
        yield _filename(name, "json"), encode_document(document)


def _filename(name: str, suffix: str) -> str:
    filename = f"{name}.{suffix}"
    if not is_plain_name(filename) or filename == MANIFEST_FILE:
        raise ValueError(f"expected letters, digits and _ (and not manifest) as name, got {name!r}")
    return filename
