"""A recording written down as the run goes, for a run that is killed. Knows its file; no Locust, no clock.

The file holds entries, each with its length and checksum before it. An entry that a kill or a full disk cut
short ends the reading, and all entries before it count. Once the run has its recording, the file is removed.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from scorebench.errors import InputError
from scorebench.folders import atomic
from scorebench.folders.names import JOURNAL
from scorebench.recordings.form import RecordingForm, form_of, recording_of
from scorebench.recordings.happenings import KILLED
from scorebench.recordings.recording import Recording
from scorebench.recordings.types import Event, UnixTime
from scorebench.report.data import dumped
from scorebench.units import say_seconds

_MAGIC = b"scorebench journal 1\n"
_HEAD = struct.Struct(">II")
_MOST_ENTRY_BYTES = 64 * 2**20


class Begun(msgspec.Struct, tag=True, forbid_unknown_fields=True):
    """The first entry: the recording's environment, as JSON."""

    environment: str


class Counted(msgspec.Struct, tag=True, forbid_unknown_fields=True):
    """What was counted, and what happened, since the entry before."""

    t_s: UnixTime
    recording: RecordingForm
    events: list[Event]


class Reset(msgspec.Struct, tag=True, forbid_unknown_fields=True):
    """What was counted before was dropped."""


Entry = Begun | Counted | Reset


class Journal:
    """Appends entries to a new file in a run's folder."""

    def __init__(self, folder: Path, environment: dict[str, Any]) -> None:
        """OSError where no such file can be made."""
        self.path = folder / JOURNAL
        self._descriptor = atomic.create(self.path)
        try:
            self._write(_MAGIC)
            self._append(Begun(dumped(environment)))
        except BaseException:
            self.close(keep=False)
            raise

    def count(self, t_s: float, recording: Recording, events: list[Event]) -> None:
        """Write down what was counted since the last time. OSError where it does not fit."""
        self._append(Counted(t_s, form_of(recording), events))

    def reset(self) -> None:
        """What was written down does not count any more."""
        self._append(Reset())

    def _append(self, entry: Entry) -> None:
        payload = msgspec.msgpack.encode(entry)
        self._write(_HEAD.pack(len(payload), zlib.crc32(payload)) + payload)

    def _write(self, content: bytes) -> None:
        while content:
            content = content[os.write(self._descriptor, content) :]

    def sync(self) -> None:
        """Have the disk hold what was written: after a reboot too, not only after a kill."""
        os.fsync(self._descriptor)

    def close(self, *, keep: bool) -> None:
        """Write no more; `keep` says whether the file is still needed."""
        os.close(self._descriptor)
        if not keep:
            self.path.unlink(missing_ok=True)


def read_journal(file: Path) -> Recording:
    """What was written down until the run was killed, which is the last of its events. InputError.

    When it was killed nobody knows: the event says until when the recording goes.
    """
    recording, environment, last_s = Recording(), None, None
    with file.open("rb") as opened:
        for entry in _entries(opened):
            if isinstance(entry, Begun):
                environment = msgspec.json.decode(entry.environment, type=dict[str, Any])
            elif isinstance(entry, Counted):
                recording.merge(recording_of(entry.recording))
                recording.events.extend(entry.events)
                last_s = entry.t_s
            else:
                recording = Recording(events=recording.events)
    if environment is None or last_s is None:
        raise InputError(f"{file}: holds no call; expected the journal of a run. Run again.")
    recording.environment = environment | {"stopped_s": last_s}
    recording.due = None  # what was in flight was due and has no outcome
    covered = say_seconds(last_s - float(environment.get("started_s") or last_s))
    why = f"its recording covers the first {covered}"
    recording.events.append({"t_s": last_s, "what": KILLED, "why": why})
    return recording


def _entries(opened: BinaryIO) -> Iterator[Entry]:
    """The entries that are whole, up to the first that is not."""
    if opened.read(len(_MAGIC)) != _MAGIC:
        return
    while len(head := opened.read(_HEAD.size)) == _HEAD.size:
        length, checksum = _HEAD.unpack(head)
        payload = opened.read(length) if length <= _MOST_ENTRY_BYTES else b""
        if len(payload) < length or zlib.crc32(payload) != checksum:
            return
        try:
            yield msgspec.msgpack.decode(payload, type=Entry)
        except (msgspec.DecodeError, RecursionError):
            return
