"""What a worker leaves when its master is dead: a recording of its own, for `scorebench merge`.

Knows settings, facts and folders; nothing of messages.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from scorebench.options.settings import Settings
from scorebench.plugin.lifecycle import facts
from scorebench.plugin.lifecycle.asked import Asked
from scorebench.plugin.lifecycle.results import RunFolder, write_results
from scorebench.recordings.calls import Calls
from scorebench.recordings.happenings import MASTER_LOST
from scorebench.recordings.recording import Recording


def leave_own(
    settings: Settings,
    asked: Asked,
    number: int,
    counted: tuple[Recording, list[Calls]],
    times: Mapping[str, float],
) -> str:
    """Write what worker `number` counted; a line that says where, or why not. `times` are Unix times."""
    recording, kept = counted
    users = getattr(asked.options, "num_users", None)
    stopped_s = time.time()
    known = facts.known(settings, asked.payload, {}, users)
    recording.environment = {**known, **times, "stopped_s": stopped_s}
    recording.events.append({"t_s": stopped_s, "what": MASTER_LOST, "why": f"worker {number}"})
    name = f"worker-{number}"
    place = RunFolder(settings, name, part=name)
    written = write_results(recording, [(number, calls) for calls in kept], settings, place)
    return written.loss or f"the master of worker {number} is gone; what the worker sent: {written.folder}"
