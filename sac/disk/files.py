"""Durable file operations: every byte of a run that must survive a crash goes through here."""

import errno
import mmap
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

TEMPORARY_PREFIX = ".new-"
REPLACED_PREFIX = ".old-"
# What file systems answer that cannot set room aside.
CANNOT_RESERVE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)  # where the system has them
BLOCK = 2**20


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and force it to the disk."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_end(file: IO[bytes], start: int, data: bytes) -> None:
    """Let a file, opened without a buffer, go on from `start` with these bytes, and end there.

    Where they can't be written, the file ends at `start`: never in the middle of them.
    """
    try:
        file.seek(start)
        _write_all(file.fileno(), data)
        file.truncate()
    except OSError:
        file.truncate(start)
        raise


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


def reserve(path: Path, size: int) -> None:
    """Make a file of at least this size, with room on the disk for every byte of it.

    A mapped file must have it: where a page of a hole finds no room, the process is killed.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NO_LINK, 0o666)
    try:
        start = os.fstat(descriptor).st_size
        if start < size:
            _fill_up(descriptor, start, size)
    finally:
        os.close(descriptor)


def _fill_up(descriptor: int, start: int, size: int) -> None:
    try:
        if not _set_aside(descriptor, start, size - start):
            os.lseek(descriptor, start, os.SEEK_SET)
            for at in range(start, size, BLOCK):
                _write_all(descriptor, bytes(min(BLOCK, size - at)))
    except OSError:
        os.ftruncate(descriptor, start)  # give back what there was of it
        raise


def _set_aside(descriptor: int, start: int, size: int) -> bool:
    if not hasattr(os, "posix_fallocate"):  # macOS, Windows
        return False
    try:
        os.posix_fallocate(descriptor, start, size)
    except OSError as error:
        if error.errno in CANNOT_RESERVE:
            return False
        raise
    return True


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def map_file(path: Path, size: int) -> mmap.mmap:
    """The first `size` bytes of a file as memory; what is written there reaches the file."""
    descriptor = os.open(path, os.O_RDWR | NO_LINK)
    try:
        return mmap.mmap(descriptor, size)
    finally:
        os.close(descriptor)


def sync_map(path: Path, mapped: mmap.mmap) -> None:
    """Force what was written into a mapped file to the disk."""
    if sys.platform != "linux":  # there, forcing the file is enough
        mapped.flush()
    sync_file(path)


def open_no_link(path: str, flags: int) -> int:
    """An `opener` for `open`: a link in a run from a stranger must not lead a write elsewhere."""
    return os.open(path, flags | NO_LINK, 0o666)


def find_link(folder: Path) -> Path | None:
    """The first symbolic link anywhere in a folder, or None."""
    for root, folders, names in os.walk(folder):
        for name in sorted([*folders, *names]):
            if os.path.islink(path := os.path.join(root, name)):
                return Path(path)
    return None


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
