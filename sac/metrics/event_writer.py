"""Writes TensorBoard's records into a file that never ends in the middle of one."""

import io
import os
import socket
import time
from pathlib import Path
from typing import Any

from sac.disk import files


class EventWriter:
    """Appends events to a new file of a folder, as TensorBoard's own `EventFileWriter` does.

    That one writes in a thread, which a full disk ends, and leaves half a record behind. Here an
    event that cannot be written raises OSError, and goes before the next one that can.
    """

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto import event_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._record_writer = RecordWriter
        now = time.time()
        name = f"events.out.tfevents.{int(now):010d}.{socket.gethostname()}.{os.getpid()}"
        self.path = _unused(folder, name)
        self._file = open(self.path, "xb", buffering=0)
        self._size = 0
        self._unwritten: list[bytes] = []
        source = event_pb2.SourceMetadata(writer="sac.metrics.event_writer")
        self.add_event(
            event_pb2.Event(wall_time=now, file_version="brain.Event:2", source_metadata=source)
        )

    def add_event(self, event: Any) -> None:
        """Append an event, after those that could not be written before."""
        record = io.BytesIO()
        self._record_writer(record).write(event.SerializeToString())
        self._unwritten.append(record.getvalue())
        self._write()

    def flush(self) -> None:
        """Force all events to the disk."""
        self._write()
        files.sync_file(self.path)

    def close(self) -> None:
        """Write what is left and close the file; a second time does nothing."""
        if self._file.closed:
            return
        with self._file:
            self._write()

    def _write(self) -> None:
        data = b"".join(self._unwritten)
        files.write_end(self._file, self._size, data)
        self._size += len(data)
        self._unwritten.clear()


def _unused(folder: Path, name: str) -> Path:
    """A path of this name and a number, higher than those of the names that are taken."""
    number = 0
    while (path := folder / f"{name}.{number}").exists():
        number += 1
    return path
