"""`metrics.csv`: a row for each logged step, with numbers exact to the last bit."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sac.disk import files
from sac.disk.append import AppendedFile
from sac.errors import SACError

STEP = "step"
MAX_LINE = 2**20  # bytes


def has_rows(path: Path) -> bool:
    """Return whether there is a metrics file with more than the names of its columns."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return bool(file.readline(MAX_LINE)) and bool(file.readline(MAX_LINE))


def read_columns(path: Path) -> dict[str, NDArray[np.float64]]:
    """Return every column (n,) by name, with nan for empty cells; no column if there is no file.

    A row that is still being written, or that a crash cut short, is left out. SACError for a file
    that is not a metrics file.
    """
    names, rows = _read(path, last_step=None)
    columns = {STEP: np.array([step for step, _ in rows], np.float64)}
    for name in names:
        columns[name] = np.array([_number(row.get(name)) for _, row in rows], np.float64)
    return columns


def _number(text: str | None) -> float:
    try:
        return math.nan if text is None else float(text)
    except ValueError:
        return math.nan


class MetricsFile:
    """Writes the rows of `metrics.csv`; several writes can fill the row of one step.

    `step` and `row` are those of the last row, with numbers as text. `flush` and `close` are those
    of `AppendedFile`.
    """

    def __init__(self, path: Path, columns: Sequence[str], *, resume_step: int | None) -> None:
        """Start a new file, or keep an old one's rows up to `resume_step`; SACError if damaged."""
        old_columns, rows = ([], []) if resume_step is None else _read(path, resume_step)
        self.columns = [*columns, *(name for name in old_columns if name not in columns)]
        self.step, self.row = rows[-1] if rows else (-1, {})
        lines = [_encode([STEP, *self.columns]), *(self._line(step, row) for step, row in rows)]
        files.replace_file(path, b"".join(lines))
        self._file = AppendedFile(path, "r+b", last_size=len(lines[-1]))
        self.flush, self.close = self._file.flush, self._file.close

    def write(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add numbers to the row of `step`, which must not be earlier than that of the last row.

        OSError if they can't be written: then the next `write` or `flush` writes them too.
        """
        # repr is the shortest text that reads back as the very same float.
        texts = {name: repr(number) for name, number in numbers.items()}
        if step == self.step:
            self.row |= texts
            self._file.replace_last(self._line(step, self.row))
        else:
            self.step, self.row = step, texts
            self._file.append(self._line(step, texts))

    def _line(self, step: int, row: Mapping[str, str]) -> bytes:
        return _encode([str(step), *(row.get(name, "") for name in self.columns)])


def _encode(cells: Sequence[str]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue().encode()


def _read(path: Path, last_step: int | None) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the columns, and the rows up to and including `last_step` that are complete."""
    if not path.exists():
        return [], []
    with open(path, newline="", encoding="utf-8", errors="replace") as file:
        # A line that a crash cut short has no end.
        reader = csv.reader(line for line in file if line.endswith("\n"))
        try:
            header, table = next(reader, None) or [STEP], list(reader)
        except csv.Error as error:
            raise SACError(
                f"'{path}' is damaged: {error}. Move the file away to continue the run."
            ) from error
        if header[:1] != [STEP]:
            raise SACError(
                f"Expected '{STEP}' as the first column of '{path}', got {header[:1]}. "
                "Move the file away to continue the run."
            )
        rows = []
        for cells in table:
            whole = len(cells) == len(header) and re.fullmatch("[0-9]{1,18}", cells[0])
            if whole and (last_step is None or int(cells[0]) <= last_step):
                filled = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
                rows.append((int(filled.pop(STEP)), filled))
    return header[1:], rows
