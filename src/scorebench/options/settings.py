"""What the user asked for → Settings, checked. Knows the options' meanings; sends nothing, reads no data.

Everything wrong is an InputError before the first call.
"""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scorebench.answers import readings
from scorebench.client import aws
from scorebench.client.credentials import Source
from scorebench.client.target import Target
from scorebench.errors import InputError
from scorebench.load import scenario
from scorebench.load.arrivals import RECORDED, Arrivals
from scorebench.load.arrivals import parse as parse_arrivals
from scorebench.load.warm_up import WarmUp
from scorebench.options.given import given_in
from scorebench.options.names import value_of
from scorebench.options.table import DEFAULTS, OPTIONS
from scorebench.payloads import formats
from scorebench.units import parse_seconds
from scorebench.verdicts import limits
from scorebench.verdicts.limits import Limit, StopWhen


@dataclass(frozen=True)
class Settings:
    """A run, as asked for. Times in seconds, sizes in bytes."""

    target: Target
    credentials: Source
    data: Path | None
    model: str | None
    body: Path | None
    label: str | None
    drop: tuple[str, ...]
    rows: int | None
    format: str
    rows_per_call: int | None
    """None: all rows in one call."""
    params: str | None
    expect: str | None
    """What a valid answer is; None: what the bodies' form says."""
    payload_memory_bytes: int
    ca_file: Path | None
    connect_timeout_s: float
    timeout_s: float
    max_answer_bytes: int
    arrivals: Arrivals | None
    """None: a closed loop, each user calls again as soon as it is answered."""
    seed: int
    calls: int | None
    iterations: int | None
    warm_up: WarmUp
    drain_s: float
    limits: tuple[Limit, ...]
    stop_when: tuple[StopWhen, ...]
    scenario: str | None
    report_dir: Path
    keep_calls: bool
    timings: bool
    quiet: bool
    run_time_s: float | None
    users: int | None

    def with_times(self, times_s: Sequence[float]) -> Settings:
        """With the times at which the bodies were recorded, where the arrivals ask for them."""
        return self if self.arrivals is None else replace(self, arrivals=self.arrivals.at_times(times_s))

    def most_calls(self, bodies: int) -> int | None:
        """Calls after which the run ends, where `bodies` are one pass over the data; None: no such number."""
        asked = [self.calls, None if self.iterations is None else self.iterations * bodies]
        return min((calls for calls in asked if calls is not None), default=None)


def from_namespace(options: Namespace | None, host: str | None, *, ours: bool = True) -> Settings:
    """The settings that parsed options ask for; InputError names the option that is wrong.

    Where no user is `ours`, the locustfile's own clients know what a host is.
    """

    def of(name: str) -> Any:
        value = value_of(options, name)
        return None if value == "" else value

    if ours and not host:
        raise InputError("--host: none given; expected the server's URL, such as http://localhost:5001")
    run_time_s = _run_time_s(getattr(options, "scorebench_run_time", None) or of("run_time"))
    arrivals, rows_per_call = of("arrivals"), _whole("--rows-per-call", of("rows_per_call"))
    chosen = scenario.Chosen(arrivals, rows_per_call)
    if of("scenario") is not None:
        chosen = scenario.choose(
            of("scenario"),
            users=of("num_users"),
            rate=of("rate"),
            arrivals=arrivals,
            rows_per_call=rows_per_call,
        )
    target, credentials = Target.elsewhere(host), Source()
    if ours and host:
        target, credentials = _target(host, of("region"), of("endpoint_url"))
    credentials = replace(credentials, query=target.query)
    settings = Settings(
        target=target,
        credentials=replace(credentials, variable=of("bearer_env"), file=_path(of("bearer_file"))),
        data=_path(of("data")),
        model=of("model"),
        body=_path(of("body")),
        label=of("label"),
        drop=_texts(of("drop")),
        rows=_whole("--rows", of("rows")) if of("rows") is not None else None,
        format=formats.find(of("format")).name,
        rows_per_call=chosen.rows_per_call,
        params=of("params"),
        expect=_expect(of("expect")),
        payload_memory_bytes=_whole("--payload-memory", of("payload_memory")) * 2**20,
        ca_file=_path(of("ca_file")),
        connect_timeout_s=_positive("--connect-timeout", of("connect_timeout")),
        timeout_s=_positive("--timeout", of("timeout")),
        max_answer_bytes=_whole("--max-answer", of("max_answer")) * 2**20,
        arrivals=_arrivals(chosen.arrivals, of("rate"), run_time_s, of("seed")),
        seed=int(of("seed")),
        calls=_whole("--calls", of("calls")) if of("calls") is not None else None,
        iterations=_whole("--iterations", of("iterations")) if of("iterations") is not None else None,
        warm_up=_warm_up(of("warm_up")),
        drain_s=_positive("--drain", of("drain")),
        limits=tuple(limits.parse_limit(text) for text in _split(of("limit"))),
        stop_when=tuple(limits.parse_stop_when(text) for text in _split(of("stop_when"))),
        scenario=of("scenario"),
        report_dir=Path(of("report_dir") or DEFAULTS["report_dir"]),
        keep_calls=bool(of("keep_calls")),
        timings=bool(of("timings")),
        quiet=bool(of("quiet")),
        run_time_s=run_time_s,
        users=of("num_users"),
    )
    if settings.body is not None:
        _check_body(settings, of, given_in(options))
    settings.credentials.check(target)
    _check_together(settings)
    return settings


def _target(host: str, region: str | None, endpoint_url: str | None) -> tuple[Target, Source]:
    if host.startswith(aws.SCHEME):
        return aws.endpoint_target(host, region, endpoint_url), Source(aws_region=region)
    for flag, value in (("--region", region), ("--endpoint-url", endpoint_url)):
        if value is not None:
            raise InputError(f"{flag} {value}: only works with sagemaker://ENDPOINT; leave it out")
    return Target.parse(host), Source()


def _check_body(settings: Settings, of: Callable[[str], Any], given: Collection[str]) -> None:
    """A ready body has its rows and its format: what else would make them is refused, its default too."""
    for option in OPTIONS:
        unchanged = of(option.name) in (None, [], option.default, str(option.default))
        if option.makes_bodies and (option.name in given or not unchanged):
            raise InputError(
                f"{option.flag}: can't change --body {settings.body}, which is sent as it is; leave one out"
            )
    if settings.rows_per_call not in (None, 1):
        raise InputError(
            f"--scenario {settings.scenario}: takes {settings.rows_per_call} rows a call, and --body "
            f"{settings.body} is sent as it is; leave one of them out"
        )


def _check_together(settings: Settings) -> None:
    if settings.ca_file is not None and settings.target.scheme != "https":
        raise InputError(
            f"--ca-file {settings.ca_file}: {settings.target.base_url} is not encrypted; "
            "leave it out, or give an https:// URL"
        )
    warm_up, run_time_s = settings.warm_up, settings.run_time_s
    if run_time_s is not None and warm_up.seconds >= run_time_s:
        raise InputError(
            f"--warm-up {warm_up.seconds:g}s: the run lasts {run_time_s:g} s; make it shorter than that"
        )
    if settings.calls is not None and warm_up.calls >= settings.calls:
        raise InputError(
            f"--warm-up {warm_up.calls} calls: the run has {settings.calls}; make it fewer than that"
        )
    if (
        settings.arrivals is not None
        and settings.arrivals.spec.startswith(RECORDED)
        and settings.body is None
    ):
        raise InputError(f"--arrivals {settings.arrivals.spec}: needs --body with recorded traffic; add it")
    measured = _calls_to_come(settings)
    for limit in settings.limits:
        limits.check_support(limit, measured)


def _calls_to_come(settings: Settings) -> float:
    """The most calls that the figures can be made of, as far as is known before the run; else infinite."""
    due = math.inf if settings.calls is None else settings.calls
    arrivals = settings.arrivals
    if arrivals is None:
        return due - settings.warm_up.calls
    due = min(due, arrivals.expected_calls(math.inf if settings.run_time_s is None else settings.run_time_s))
    return due - settings.warm_up.calls - arrivals.expected_calls(settings.warm_up.seconds)


def _expect(text: str | None) -> str | None:
    if text is not None:
        readings.expected(text)
    return text


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _texts(value: Any) -> tuple[str, ...]:
    """Several texts: a list from the command line, one with commas from Locust's page."""
    if value is None:
        return ()
    parts = value.split(",") if isinstance(value, str) else value
    return tuple(part.strip() for part in parts if part.strip())


def _split(value: Any) -> tuple[str, ...]:
    """Several texts, also where each holds several with commas between."""
    return tuple(part for text in _texts(value) for part in _texts(text))


def _whole(flag: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise InputError(f"{flag} {value}: expected a whole number of at least 1")
    return number


def _positive(flag: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise InputError(f"{flag} {value}: expected a number of seconds above 0")
    return number


def _run_time_s(value: Any) -> float | None:
    """Seconds: Locust has parsed what the command line says; its page may leave text."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _arrivals(spec: str | None, rate: Any, run_time_s: float | None, seed: Any) -> Arrivals | None:
    if spec is None and rate is None:
        return None
    try:
        rate_per_s = None if rate is None else float(rate)
    except ValueError:
        raise InputError(f"--rate {rate}: expected calls a second, such as 200") from None
    return parse_arrivals(spec, rate_per_s, run_time_s, int(seed))


def _warm_up(text: str | None) -> WarmUp:
    if text is None:
        return WarmUp()
    words = str(text).split()
    if len(words) == 2 and words[1] in ("call", "calls"):
        return WarmUp(calls=_whole("--warm-up", words[0]))
    return WarmUp(seconds=parse_seconds(str(text), "--warm-up"))
