"""Files that grow by pieces: whole ones only, and none is lost to a disk that fails for a while."""

from pathlib import Path

import pytest

from sac.disk import files
from sac.disk.append import AppendedFile


class Disk:
    """A disk that is full or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self._write_all = files._write_all
        monkeypatch.setattr(files, "_write_all", self.write_all)

    def write_all(self, descriptor: int, data: bytes) -> None:
        if self.is_full:
            self._write_all(descriptor, data[: len(data) // 2])
            raise OSError(28, "No space left on device")
        self._write_all(descriptor, data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_pieces_are_appended_and_the_last_replaced(tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = AppendedFile(path)
    for write, piece, expected in (
        (file.append, b"one,", b"one,"),
        (file.append, b"two, long,", b"one,two, long,"),
        (file.replace_last, b"2,", b"one,2,"),
        (file.replace_last, b"two,", b"one,two,"),
        (file.append, b"three", b"one,two,three"),
    ):
        write(piece)
        assert path.read_bytes() == expected
    file.flush()
    file.close()
    file.close()
    assert path.read_bytes() == b"one,two,three"


def test_file_that_is_there_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one,two,")
    with pytest.raises(FileExistsError):
        AppendedFile(path)
    file = AppendedFile(path, "r+b", last_size=4)
    file.replace_last(b"2,")
    file.append(b"3,")
    assert path.read_bytes() == b"one,2,3,"
    file.close()


def test_what_a_full_disk_refuses_goes_before_the_next_piece(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "file"
    file = AppendedFile(path)
    file.append(b"one,")
    disk.is_full = True
    for piece in (b"two,", b"three,"):
        with pytest.raises(OSError, match="No space"):
            file.append(piece)
        assert path.read_bytes() == b"one,", "never the half of a piece"
    with pytest.raises(OSError, match="No space"):
        file.replace_last(b"3,")
    with pytest.raises(OSError, match="No space"):
        file.flush()
    disk.is_full = False
    file.append(b"four,")
    assert path.read_bytes() == b"one,two,3,four,"
    file.close()


def test_replacement_that_a_full_disk_refuses(tmp_path: Path, disk: Disk) -> None:
    path = tmp_path / "file"
    file = AppendedFile(path)
    file.append(b"one,")
    file.append(b"two,")
    disk.is_full = True
    for piece in (b"2,", b"zwei,"):
        with pytest.raises(OSError, match="No space"):
            file.replace_last(piece)
        assert path.read_bytes() == b"one,"
    disk.is_full = False
    file.close()
    assert path.read_bytes() == b"one,zwei,"
