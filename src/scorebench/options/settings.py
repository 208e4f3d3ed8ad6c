"""What the user asked for → Settings, checked. Knows the options' meanings; sends nothing, reads no data.

Everything wrong is an InputError before the first call. To add a setting that one option gives, add a field
with `option(...)` to `Settings`.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from scorebench.answers import readings
from scorebench.client import sign_ins
from scorebench.client.credentials import Source
from scorebench.client.headers import Headers
from scorebench.client.target import Target
from scorebench.client.tls import Certificate
from scorebench.errors import InputError
from scorebench.load.arrivals import Arrivals, Recorded
from scorebench.load.arrivals import parse as parse_arrivals
from scorebench.load.scenario import Chosen, choose, named
from scorebench.load.warm_up import WarmUp
from scorebench.options import conditions, values
from scorebench.options.given import given_in
from scorebench.options.names import value_of
from scorebench.options.table import DEFAULTS, OPTIONS
from scorebench.options.values import T
from scorebench.payloads import formats
from scorebench.scrapes.asked import places_of
from scorebench.telemetry import otlp
from scorebench.units import parse_seconds
from scorebench.verdicts.limits import Limit, StopWhen, parse_limit, parse_stop_when


def option(name: str, read: values.Read[T]) -> T:
    """A field of `Settings` that holds the value of one option, as `read` reads it."""
    made: T = field(metadata={"option": name, "read": read})
    return made


def _format(_flag: str, value: Any) -> str:
    return formats.find(value).name


def _warm_up(flag: str, value: Any) -> WarmUp:
    if value is None:
        return WarmUp()
    words = str(value).split()
    if len(words) == 2 and words[1] in ("call", "calls"):
        return WarmUp(calls=values.whole(flag, words[0]))
    return WarmUp(seconds=parse_seconds(str(value), flag))


def _expect(_flag: str, value: Any) -> str | None:
    if value is not None:
        readings.expected(value)
    return None if value is None else str(value)


def _otlp(_flag: str, value: Any) -> str | None:
    return None if value is None else otlp.checked(str(value))


def _scrape(flag: str, value: Any) -> tuple[Target, ...]:
    return places_of(values.texts(flag, value))


def _tolerance(flag: str, value: Any) -> float:
    tolerance = float(value)
    if not 0 <= tolerance < 1:
        raise InputError(f"{flag} {tolerance:g}: expected a share from 0 to below 1, such as 1e-9")
    return tolerance


def _report_dir(flag: str, value: Any) -> Path:
    return values.path_of(value or DEFAULTS["report_dir"], flag)


@dataclass(frozen=True)
class Settings:
    """A run, as asked for. Times in seconds, sizes in bytes."""

    target: Target
    credentials: Source
    rows_per_call: int | None
    """None: all rows in one call."""
    certificate: Certificate | None
    arrivals: Arrivals | None
    """None: a closed loop, in which each user sends its next call as soon as the last one is answered."""
    run_time_s: float | None
    data: Path | None = option("data", values.path)
    model: str | None = option("model", values.given)
    body: Path | None = option("body", values.path)
    label: str | None = option("label", values.given)
    drop: tuple[str, ...] = option("drop", values.texts)
    rows: int | None = option("rows", values.whole_or_none)
    format: str = option("format", _format)
    params: str | None = option("params", values.given)
    expect: str | None = option("expect", _expect)
    """What a valid answer is; None: what the bodies' form says."""
    tolerance: float = option("tolerance", _tolerance)
    payload_memory_bytes: int = option("payload_memory", values.mebibytes)
    stream: bool = option("stream", values.flag_set)
    ca_file: Path | None = option("ca_file", values.path)
    connect_timeout_s: float = option("connect_timeout", values.seconds)
    timeout_s: float = option("timeout", values.seconds)
    max_answer_bytes: int = option("max_answer", values.mebibytes)
    seed: int = option("seed", values.given)
    calls: int | None = option("calls", values.whole_or_none)
    iterations: int | None = option("iterations", values.whole_or_none)
    warm_up: WarmUp = option("warm_up", _warm_up)
    drain_s: float = option("drain", values.seconds)
    limits: tuple[Limit, ...] = option("limit", values.each(parse_limit))
    stop_when: tuple[StopWhen, ...] = option("stop_when", values.each(parse_stop_when))
    scenario: str | None = option("scenario", named)
    report_dir: Path = option("report_dir", _report_dir)
    hand_out: bool = option("hand_out", values.flag_set)
    keep_calls: bool = option("keep_calls", values.flag_set)
    traceparent: bool = option("traceparent", values.flag_set)
    otlp: str | None = option("otlp", _otlp)
    """Where to send the run's own metrics."""
    scrape: tuple[Target, ...] = option("scrape", _scrape)
    """Where the server shows its metrics, for Prometheus; each replica, or what runs beside it."""
    timings: bool = option("timings", values.flag_set)
    quiet: bool = option("quiet", values.flag_set)
    users: int | None = option("num_users", values.given)

    def with_times(self, times_s: Sequence[float]) -> Settings:
        """With the times at which the bodies were recorded, where the arrivals ask for them.

        Only then it is known how many calls come: InputError for a limit that they can't support.
        """
        if self.arrivals is None or not isinstance(self.arrivals.source, Recorded):
            return self
        timed = replace(self, arrivals=self.arrivals.at_times(times_s))
        conditions.check(timed)
        return timed

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
    chosen = _scenario(of)
    credentials = _credentials(host, of) if ours and host else Source(Target.elsewhere(host))
    settings = Settings(
        target=credentials.target,
        credentials=credentials,
        rows_per_call=chosen.rows_per_call,
        certificate=_certificate(of),
        arrivals=_arrivals(chosen.arrivals, of("rate"), run_time_s, of("seed")),
        run_time_s=run_time_s,
        **_read(of),
    )
    _check(settings, of, given_in(options))
    return settings


def _read(of: Callable[[str], Any]) -> dict[str, Any]:
    """The fields that one option each gives."""
    return {
        one.name: one.metadata["read"](f"--{name.replace('_', '-')}", of(name))
        for one in fields(Settings)
        if (name := one.metadata.get("option"))
    }


def _scenario(of: Callable[[str], Any]) -> Chosen:
    arrivals, rows_per_call = of("arrivals"), values.whole("--rows-per-call", of("rows_per_call"))
    name, rate, users = named("--scenario", of("scenario")), of("rate"), of("num_users")
    if name is None:
        return Chosen(arrivals, rows_per_call)
    return choose(name, users=users, rate=rate, arrivals=arrivals, rows_per_call=rows_per_call)


def _credentials(host: str, of: Callable[[str], Any]) -> Source:
    """Where calls go, and where what lets them in comes from."""
    headers = Headers.of(of("header"), of("header_env"), of("header_file"))
    asked = sign_ins.choose(host.strip(), of, values.path("--ca-file", of("ca_file")))
    if asked is None:
        return Source(Target.parse(host), headers)
    sign_in, wanted = asked
    target = Target.parse(host) if sign_in.target is None else sign_in.target(wanted)
    return Source(target, headers, sign_in, wanted)


def _certificate(of: Callable[[str], Any]) -> Certificate | None:
    file, key = values.path("--cert", of("cert")), values.path("--key", of("key"))
    if file is None and key is not None:
        raise InputError(f"--key {key}: without --cert; give the certificate that it belongs to")
    return None if file is None else Certificate(file, key)


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


def _check(settings: Settings, of: Callable[[str], Any], given: Collection[str]) -> None:
    """InputError for options that don't go together."""
    if settings.body is not None:
        _check_body(settings, of, given)
    settings.credentials.check()
    if settings.traceparent and any(n.lower() == "traceparent" for n in settings.credentials.headers.names):
        raise InputError("--traceparent: a header of yours has that name too; leave one of them out")
    certificate = settings.certificate
    for flag, file in (("--ca-file", settings.ca_file), ("--cert", certificate and certificate.file)):
        if file is not None and settings.target.scheme != "https":
            raise InputError(
                f"{flag} {file}: {settings.target.base_url} is not encrypted; "
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
    arrivals = settings.arrivals
    if arrivals is not None and isinstance(arrivals.source, Recorded) and settings.body is None:
        raise InputError(f"--arrivals {arrivals.spec}: needs --body with recorded traffic; add it")
    if settings.stream and settings.timings:
        raise InputError("--timings: splits answers that come whole; leave --timings or --stream out")
    conditions.check(settings)


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
