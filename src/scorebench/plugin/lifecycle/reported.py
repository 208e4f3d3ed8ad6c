"""What a worker has told its master in this test, kept for the case that the master dies. Knows a file.

The file has no name: whatever becomes of this process, nothing is left of it. The messages lie there as they
were sent, so that keeping them costs no time while users send.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

from scorebench.cluster import reports
from scorebench.recordings.calls import Calls
from scorebench.recordings.recording import Recording

_SIZE = struct.Struct(">Q")


class Reported:
    """Reports, in the order in which they were sent."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None

    def forget(self) -> None:
        """Another test starts, or what was told until now was dropped."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def add(self, report: bytes) -> None:
        """Keep a report. OSError where the disk is full."""
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the test)
        self._file.write(_SIZE.pack(len(report)))
        self._file.write(report)

    def all(self, worker: int) -> tuple[Recording, list[Calls]]:
        """All of them together, as counted by that worker; with --keep-calls its calls."""
        recording, kept = Recording(), list[Calls]()
        for report in self._reports():
            part, calls = reports.counted(reports.unpack(report), worker)
            recording.merge(part)
            kept += calls
        return recording, kept

    def _reports(self) -> Iterator[bytes]:
        if self._file is None:
            return
        self._file.seek(0)
        while head := self._file.read(_SIZE.size):
            yield self._file.read(_SIZE.unpack(head)[0])
