"""TensorBoard event files, written with TensorBoard's own messages but without TensorFlow."""

import io
import os
import socket
import struct
import sys
import time
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sac.disk import files
from sac.disk.append import AppendedFile

FILE_PATTERN = "events.out.tfevents.*"
# TensorBoard keeps the first values that it reads for HPARAMS, and reads files by their names.
HPARAMS_FILE = "events.out.tfevents.0000000000.hparams"
RECORD_HEADER = struct.Struct("<QI")  # length of the data, checksum of the length
RECORD_FOOTER_SIZE = 4  # checksum of the data


class EventFile:
    """The event file of one session in a run directory; `step` is the x axis of everything.

    `flush` and `close` are those of `AppendedFile`.
    """

    def __init__(self, folder: Path, *, resume_step: int | None) -> None:
        """Open a new file; on a resume, first drop the events after `resume_step` in old files."""
        do_without_tensorflow()
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.plugins.text.summary_v2 import text_pb
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event, self._source = event_pb2.Event, event_pb2.SourceMetadata
        self._summary, self._text_pb = summary_pb2.Summary, text_pb
        self._record_writer = RecordWriter
        if resume_step is not None:
            for path in folder.glob(FILE_PATTERN):
                drop_events_after(path, resume_step)
        self._folder = folder
        # Not TensorBoard's EventFileWriter: a full disk ends its thread in the middle of a record.
        self._file = AppendedFile(_new_path(folder))
        self.flush, self.close = self._file.flush, self._file.close
        self._file.append(self._head())
        # A running server has already read what was dropped. The start of a session at a step makes
        # it forget all points from that step on; the first session of a run drops nothing.
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        self.add(0 if resume_step is None else resume_step + 1, session_log=start)

    def scalars(self, step: int, numbers: Mapping[str, float]) -> None:
        """Add one point for each tag."""
        value = self._summary.Value
        self.values(step, [value(tag=tag, simple_value=n) for tag, n in numbers.items()])

    def values(self, step: int, values: Iterable[Any]) -> None:
        """Add Summary.Values of any kind."""
        self.add(step, summary=self._summary(value=values))

    def text(self, step: int, tag: str, text: str) -> None:
        """Add a text, shown as it is in a fixed-width font."""
        markdown = "\n".join(f"    {line}" for line in text.splitlines())
        self.add(step, summary=self._text_pb(tag, markdown))

    def hparams(self, summary: Any) -> None:
        """Show the run's row in HPARAMS, in place of that of an earlier session."""
        record = self._record(0, summary=summary)
        files.replace_file(self._folder / HPARAMS_FILE, self._head() + record)

    def add(self, step: int, **content: Any) -> None:
        """Add an event with this content, such as a `summary` or a `graph_def`."""
        self._file.append(self._record(step, **content))

    def _head(self) -> bytes:
        """Return the record that every event file begins with."""
        source = self._source(writer=__name__)
        return self._record(0, file_version="brain.Event:2", source_metadata=source)

    def _record(self, step: int, **content: Any) -> bytes:
        record = io.BytesIO()
        event = self._event(wall_time=time.time(), step=step, **content)
        self._record_writer(record).write(event.SerializeToString())
        return record.getvalue()


def do_without_tensorflow() -> None:
    """Let TensorBoard find the module by which it knows that it must not import TensorFlow."""
    sys.modules.setdefault("tensorboard.compat.notf", types.ModuleType("notf"))


def _new_path(folder: Path) -> Path:
    """Return an unused path, named as TensorBoard's own writer names its files.

    It sorts after all others, so that TensorBoard reads it last: the time in it is later than
    theirs, even where the clock is behind that of an earlier session.
    """
    stamps = [path.name.split(".")[3] for path in folder.glob(FILE_PATTERN)]
    newest = max((int(stamp) for stamp in stamps if stamp.isdecimal()), default=0)
    stamp = max(int(time.time()), newest + 1)
    return folder / f"events.out.tfevents.{stamp:010d}.{socket.gethostname()}.{os.getpid()}.0"


def drop_events_after(path: Path, step: int) -> None:
    """Cut an event file before its first event of a later step.

    Events are written in the order of their steps, so none of `step` or before is lost; but for the
    start of a session, which names the step after that which it goes on from. Half a record that a
    crash left at the end stays: readers stop there and go on to the next file.
    """
    from google.protobuf.message import DecodeError
    from tensorboard.compat.proto import event_pb2

    size = path.stat().st_size
    with open(path, "r+b", opener=files.open_no_link) as file:
        while (start := file.tell()) + RECORD_HEADER.size <= size:
            length, _ = RECORD_HEADER.unpack(file.read(RECORD_HEADER.size))
            if file.tell() + length + RECORD_FOOTER_SIZE > size:
                return
            try:
                event = event_pb2.Event.FromString(file.read(length))
            except DecodeError:
                return
            if event.step > step and not event.HasField("session_log"):
                file.truncate(start)
                return
            file.seek(RECORD_FOOTER_SIZE, 1)
