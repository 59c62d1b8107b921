"""Durable file operations: all data of a run that must survive a crash is written here."""

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
# Errors of file systems that cannot reserve space.
CANNOT_RESERVE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)
# 0 where the system has no such flag.
NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
BLOCK = 2**20


def write_file(path: Path, data: bytes) -> None:
    """Write a new file and sync it to the disk."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_end(file: IO[bytes], start: int, data: bytes) -> None:
    """Write bytes at `start` of a file that was opened without a buffer, and end the file there.

    If they can't be written, the file ends at `start`: never in the middle of them.
    """
    try:
        file.seek(start)
        _write_all(file.fileno(), data)
        file.truncate()
    except OSError:
        file.truncate(start)
        raise


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries (created, renamed and removed names) to the disk."""
    if os.name != "posix":  # other systems can't open a folder; they journal its entries
        return
    with _descriptor(folder, os.O_RDONLY) as descriptor:
        os.fsync(descriptor)


def sync_file(path: Path) -> None:
    """Sync a file to the disk, whatever handle it was written through."""
    with _descriptor(path, os.O_RDWR) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _descriptor(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def reserve(path: Path, size: int) -> None:
    """Make a file of at least this size, with disk space for every byte of it.

    A mapped file needs it: writing to a page without disk space kills the process.
    """
    with _descriptor(path, os.O_RDWR | os.O_CREAT | NO_LINK) as descriptor:
        start = os.fstat(descriptor).st_size
        if start < size:
            _fill_up(descriptor, start, size)


def _fill_up(descriptor: int, start: int, size: int) -> None:
    try:
        if not _allocate(descriptor, start, size - start):
            os.lseek(descriptor, start, os.SEEK_SET)
            for at in range(start, size, BLOCK):
                _write_all(descriptor, bytes(min(BLOCK, size - at)))
    except OSError:
        os.ftruncate(descriptor, start)  # give back what was reserved
        raise


def _allocate(descriptor: int, start: int, size: int) -> bool:
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


def map_file(path: Path, size: int, *, is_writable: bool = True) -> mmap.mmap:
    """Map the first `size` bytes of a file into memory.

    What is written there reaches the file if it `is_writable`, and else stays in memory.
    """
    flags = os.O_RDWR if is_writable else os.O_RDONLY
    access = mmap.ACCESS_WRITE if is_writable else mmap.ACCESS_COPY
    with _descriptor(path, flags | NO_LINK) as descriptor:
        return mmap.mmap(descriptor, size, access=access)


def sync_map(path: Path, mapped: mmap.mmap) -> None:
    """Sync what was written through a map to the disk."""
    if sys.platform != "linux":  # on Linux, syncing the file is enough
        mapped.flush()
    sync_file(path)


def open_no_link(path: str, flags: int) -> int:
    """Open a file as an `opener` for `open`, but no link, which could lead a write elsewhere."""
    return os.open(path, flags | NO_LINK, 0o666)


def find_link(folder: Path) -> Path | None:
    """Return the first symbolic link anywhere in a folder, or None."""
    for root, folders, names in os.walk(folder):
        for name in sorted([*folders, *names]):
            if os.path.islink(path := os.path.join(root, name)):
                return Path(path)
    return None


def rename(source: Path, destination: Path) -> None:
    """Rename in one atomic step, replacing a file of that name."""
    os.replace(source, destination)


def remove_folder(folder: Path) -> None:
    """Remove a folder and everything in it."""
    shutil.rmtree(folder)


def temporary_path(parent: Path, name: str) -> Path:
    """Return an unused name in `parent`, where a crash may leave it behind."""
    return parent / f"{TEMPORARY_PREFIX}{name}-{uuid.uuid4().hex[:12]}"


def replace_file(path: Path, data: bytes) -> None:
    """Write a file in one atomic step: a reader sees the old content or the new."""
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
    """Give the block a folder to fill; it appears as `final` only when it is complete.

    `workspace`, on the same file system, holds the unfinished folder. It must exist: one that has
    vanished may come back. An existing `final` is replaced: between two renames only its old
    version exists, which `existing_folder` finds.
    """
    temporary = temporary_path(workspace, final.name)
    temporary.mkdir()
    try:
        yield temporary
        sync_folder(temporary)
        final.parent.mkdir(exist_ok=True)
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
    """Return the old versions of folders in `workspace`."""
    return sorted(workspace.glob(f"{REPLACED_PREFIX}*"))


def remove_temporaries(workspace: Path) -> None:
    """Remove what crashed writes left in `workspace`, where nobody else may be writing."""
    for leftover in workspace.glob(f"{TEMPORARY_PREFIX}*"):
        if leftover.is_dir():
            remove_folder(leftover)
        else:
            leftover.unlink()


def replaced_path(final: Path, workspace: Path) -> Path:
    """Return where the old version of `final` is kept while it is being replaced."""
    return workspace / f"{REPLACED_PREFIX}{final.name}"


def restore_replaced(final: Path, workspace: Path) -> None:
    """Finish a replacement that a crash cut short: keep the new version, or restore the old."""
    replaced = replaced_path(final, workspace)
    if not replaced.exists():
        return
    if final.exists():
        remove_folder(replaced)
    else:
        rename(replaced, final)


def existing_folder(final: Path, workspace: Path) -> Path | None:
    """Return `final`, or its old version while it is being replaced, or None."""
    # `final` comes twice: a writer may have finished between the first two checks.
    for candidate in (final, replaced_path(final, workspace), final):
        if candidate.is_dir():
            return candidate
    return None
