"""A step of a search for capacity: a plan → a run in a folder of its own → its result.

Knows launching, folders and summaries; nothing of which step comes next.
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scorebench.answers.outcome import BY_LABEL, Group
from scorebench.capacity.found import Ended, Stopped
from scorebench.capacity.trial import Measured, Plan, Reading
from scorebench.folders.finished import Finished, finished, is_finished
from scorebench.recordings.happenings import SERVER_ENDED
from scorebench.runs import launch
from scorebench.verdicts.finding import Severity
from scorebench.verdicts.limits import Limit

if TYPE_CHECKING:
    from scorebench.figures.summary import Summary
    from scorebench.recordings.recording import Recording
    from scorebench.runs.launch import Launch
    from scorebench.servers.protocol import Server
    from scorebench.verdicts.verdict import Verdict

WARM_UP_S = 1.0
"""At least; connections are made and queues fill meanwhile. Longer where a call takes longer."""
FEWEST_WHOLE_SECONDS = 2


class Refused(Exception):
    """The run's process refused the input, and has printed why."""


@dataclass
class Steps:
    """Measures plan after plan.

    `base` holds what all steps share; `say` hears of each as it begins, and as it ends.
    """

    base: Launch
    limits: tuple[Limit, ...]
    seed: int
    server: Server | None = None
    say: Callable[[Plan, Measured | None], None] = lambda _plan, _measured: None
    finished: dict[int, Finished] = field(default_factory=dict, init=False)
    """What was measured, by the plan's number."""
    _slowest_s: float = field(default=0.0, init=False)
    _interrupted: bool = field(default=False, init=False)

    def measure(self, plan: Plan) -> Measured:
        """Run it. Stopped after Ctrl-C or where the server has ended; Refused for wrong input."""
        if self._interrupted:
            raise Stopped
        self.say(plan, None)
        began_s = time.monotonic()
        path = self.base.folder / "steps" / f"{plan.number:02d}"
        path.mkdir(parents=True)
        code = launch.run(self._launch(plan, path), self.server, on_signal=self._interrupt)
        if code == 2:
            raise Refused
        if self._interrupted or not is_finished(path):
            raise Stopped
        done = finished(path)
        if any(event.get("what") == SERVER_ENDED for event in done.recording.events):
            raise Stopped(Ended.SERVER_ENDED)
        self.finished[plan.number] = done
        measured = measured_of(done, plan, self.limits, time.monotonic() - began_s)
        self._slowest_s = max(self._slowest_s, measured.mean_service_s or 0.0)
        self.say(plan, measured)
        return measured

    @contextmanager
    def stopped_by_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM between two steps end the search too, and not the process with its server."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {one: signal.signal(one, lambda number, _frame: self._interrupt(number)) for one in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, _number: int) -> None:
        self._interrupted = True

    def _launch(self, plan: Plan, path: Path) -> Launch:
        warm_up_s = max(WARM_UP_S, 3 * self._slowest_s)
        load = {} if plan.rate_per_s is None else {"rate": plan.rate_per_s, "arrivals": "poisson"}
        own = {"seed": self.seed + plan.number, "warm_up": f"{warm_up_s:.3f}s", "quiet": True}
        return replace(
            self.base,
            folder=path,
            users=plan.users,
            run_time=f"{math.ceil(plan.duration_s + warm_up_s)}s",
            options={**self.base.options, **load, **own},
            show_report=False,
        )


def measured_of(done: Finished, plan: Plan, limits: tuple[Limit, ...], duration_s: float) -> Measured:
    """What a step came to; `duration_s` is all the time that it took."""
    summary = done.summary
    sent_per_s, valid_per_s = _rates(done.recording, summary, plan)
    return Measured(
        duration_s=duration_s,
        achieved_per_s=sent_per_s,
        throughput_per_s=valid_per_s,
        mean_service_s=summary.service.mean_s,
        readings=tuple(_reading(summary, limit) for limit in limits),
        invalid=_invalid(done.verdict),
    )


def _rates(recording: Recording, summary: Summary, plan: Plan) -> tuple[float, float]:
    """Calls sent and valid answers that came, a second, in the whole seconds while the load ran.

    Answers count when they come, those to the warm-up's last calls included: a queue that grows shows in the
    difference, a slow answer alone does not.
    """
    first_s = recording.measured.first_due_s
    if first_s is None:
        return 0.0, 0.0
    window = range(math.ceil(first_s), math.floor(first_s + plan.duration_s))
    if len(window) < FEWEST_WHOLE_SECONDS:
        return summary.sent_per_s or 0.0, summary.throughput_per_s or 0.0
    sent = valid = 0
    for tally in (recording.measured, recording.warm_up):
        for second in window:
            if second in tally.seconds:
                sent += tally.seconds[second].sent
                valid += sum(
                    calls
                    for label, calls in tally.seconds[second].done.items()
                    if BY_LABEL[label].group is Group.VALID
                )
    return sent / len(window), valid / len(window)


def _reading(summary: Summary, limit: Limit) -> Reading:
    """The figure; where that would keep the limit and what it is at least does not, the latter."""
    value, least = limit.of.of(summary), limit.of.at_least(summary)
    if least is not None and not limit.keeps(least) and (value is None or limit.keeps(value)):
        value = least
    return Reading(limit, value, limit.of.sample(summary))


def _invalid(verdict: Verdict) -> str | None:
    """The generator's faults. What makes a server look better than it is doesn't excuse a missed limit."""
    for finding in verdict.findings:
        if finding.severity is Severity.INVALID and not finding.flatters:
            return finding.text
    return None
