"""Durable file operations: every byte of a run that must survive a crash goes through here."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TEMPORARY_PREFIX = ".new-"
REPLACED_PREFIX = ".old-"


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and force it to the disk."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Force the folder's entries (names made, renamed, removed) to the disk."""
    if os.name != "posix":  # other systems can't open a folder, and journal its entries themselves
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Force what was written into a file, through whatever handle, to the disk."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def rename(source: Path, destination: Path) -> None:
    """Rename in one atomic step, replacing a file of that name."""
    os.replace(source, destination)


def remove_folder(folder: Path) -> None:
    """Remove a folder and all that is in it."""
    shutil.rmtree(folder)


def temporary_path(parent: Path, name: str) -> Path:
    """A name in `parent` that nothing else uses; a crash may leave it behind."""
    return parent / f"{TEMPORARY_PREFIX}{name}-{uuid.uuid4().hex[:12]}"


def replace_file(path: Path, data: bytes) -> None:
    """Write the whole file or nothing: a reader sees the old content or the new."""
    temporary = temporary_path(path.parent, path.name)
    try:
        write_file(temporary, data)
        rename(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextmanager
def new_folder(final: Path, workspace: Path) -> Iterator[Path]:
    """A folder to fill inside the block, which appears as `final` only when it is whole.

    `workspace` holds the unfinished folder, on the same file system. An existing `final` is
    replaced: between two renames only its old version exists, and `existing_folder` finds it.
    """
    workspace.mkdir(parents=True, exist_ok=True)
    temporary = temporary_path(workspace, final.name)
    temporary.mkdir()
    try:
        yield temporary
        sync_folder(temporary)
        final.parent.mkdir(parents=True, exist_ok=True)
        _put_in_place(temporary, final, workspace)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _put_in_place(temporary: Path, final: Path, workspace: Path) -> None:
    replaced = replaced_path(final, workspace)
    restore_replaced(final, workspace)
    if final.exists():
        rename(final, replaced)
    try:
        rename(temporary, final)
    except BaseException:
        if replaced.exists():
            rename(replaced, final)
        raise
    for folder in {final.parent, workspace}:
        sync_folder(folder)
    if replaced.exists():
        remove_folder(replaced)


def replaced(workspace: Path) -> list[Path]:
    """The old versions that wait in `workspace`."""
    return sorted(workspace.glob(f"{REPLACED_PREFIX}*"))


def remove_temporaries(workspace: Path) -> None:
    """Remove what crashed writes left in `workspace`; nothing else may be writing there."""
    for leftover in workspace.glob(f"{TEMPORARY_PREFIX}*"):
        if leftover.is_dir():
            remove_folder(leftover)
        else:
            leftover.unlink()


def replaced_path(final: Path, workspace: Path) -> Path:
    """Where the old version of `final` waits while the new one takes its place."""
    return workspace / f"{REPLACED_PREFIX}{final.name}"


def restore_replaced(final: Path, workspace: Path) -> None:
    """Finish a replacement that a crash cut short: the new version stays, or the old comes back."""
    replaced = replaced_path(final, workspace)
    if not replaced.exists():
        return
    if final.exists():
        remove_folder(replaced)
    else:
        rename(replaced, final)


def existing_folder(final: Path, workspace: Path) -> Path | None:
    """`final`, or its old version while it is being replaced, or None; changes nothing."""
    # The second look at `final` is for a writer that finished between the first two looks.
    for candidate in (final, replaced_path(final, workspace), final):
        if candidate.is_dir():
            return candidate
    return None
