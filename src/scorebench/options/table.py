"""The options of a run, each written once: for `locust`, for `scorebench`, for Locust's page, for the docs.

Knows names, types, defaults and help texts; nothing of what an option does.
"""

from __future__ import annotations

from typing import Any

from scorebench.answers.readings import READINGS
from scorebench.client.headers import FROM_FILE, FROM_VARIABLE, PLAIN
from scorebench.client.sign_ins import flags, schemes
from scorebench.load.scenario import NO_SCENARIO, SCENARIOS
from scorebench.options.option import JUDGED, LEFT, OFFERED, SENT, Option
from scorebench.payloads.formats import DEFAULT_FORMAT, FORMATS

TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0
DRAIN_S = 60.0
MAX_ANSWER_MB = 64
PAYLOAD_MEMORY_MB = 256
REPORT_DIR = "reports"
DEFAULT_USERS = 5
DEFAULT_RUN_TIME = "30s"


OPTIONS = (
    Option(
        "--data",
        "rows to send: a CSV, Parquet, JSON or JSON Lines file, or a folder of Parquet files (default: the "
        "model's example, rows made from its signature, or the demo's rows)",
        metavar="PATH",
        makes_bodies=True,
        group=SENT,
        first=True,
    ),
    Option(
        "--model",
        "your model, a folder with an MLmodel file or a URI: a server that is started serves it, its "
        "signature casts the rows, and its example is sent where no --data is given",
        metavar="URI",
        makes_bodies=True,
        group=SENT,
        first=True,
    ),
    Option(
        "--body",
        "request bodies, sent unchanged: a file, a folder, JSON Lines (a body a line) or recorded traffic",
        metavar="PATH",
        group=SENT,
    ),
    Option(
        "--expect",
        f"what a valid answer is: {', '.join(READINGS)}, a number of predictions, or a JSONPath such as "
        "'$.choices[0].message' (default: what the bodies are answered with)",
        metavar="WHAT",
        group=JUDGED,
    ),
    Option(
        "--tolerance",
        "by how much numbers may differ in two answers to the same body, relative or in all, such as 1e-9",
        float,
        0.0,
        "X",
        group=JUDGED,
    ),
    Option(
        "--label", "column to leave out, if the data has it", metavar="NAME", makes_bodies=True, group=SENT
    ),
    Option(
        "--drop",
        "column to leave out; repeatable",
        metavar="COLUMN",
        repeated=True,
        makes_bodies=True,
        group=SENT,
    ),
    Option(
        "--rows",
        "send only the first N rows, or make N from the signature",
        int,
        None,
        "N",
        makes_bodies=True,
        group=SENT,
    ),
    Option(
        "--format",
        ", ".join(FORMATS),
        default=DEFAULT_FORMAT,
        metavar="FORMAT",
        choices=tuple(FORMATS),
        on_form="how rows are encoded",
        on_page=True,
        makes_bodies=True,
        group=SENT,
    ),
    Option(
        "--rows-per-call",
        "rows in each call",
        int,
        1,
        "N",
        on_page=True,
        makes_bodies=True,
        group=SENT,
        first=True,
    ),
    Option(
        "--params",
        "inference parameters beside the rows or in each body, a JSON object",
        metavar="JSON",
        group=SENT,
    ),
    Option(
        "--payload-memory", "memory limit for encoded bodies, MB", int, PAYLOAD_MEMORY_MB, "MB", group=SENT
    ),
    Option(
        "--stream",
        "ask for streamed answers (server-sent events), and time their chunks",
        switch=True,
        on_form="ask for streamed answers, and time their chunks",
        on_page=True,
        group=SENT,
    ),
    Option("--ca-file", "CA certificates to verify the server with, PEM", metavar="FILE"),
    Option("--cert", "certificate to show the server (mutual TLS), PEM", metavar="FILE", signs_in=True),
    Option("--key", "private key of --cert, PEM (default: in the same file)", metavar="FILE"),
    Option(
        PLAIN,
        "header to send with each call, such as 'X-Tenant: a'; repeatable; for secrets use --header-env",
        metavar="HEADER",
        on_form="to send with each call: X-Tenant: a; no secrets",
        repeated=True,
        on_page=True,
        hides=True,
    ),
    Option(
        FROM_VARIABLE,
        "header whose value is in an environment variable, such as X-Api-Key=MY_KEY; repeatable",
        metavar="NAME=VARIABLE",
        repeated=True,
        signs_in=True,
    ),
    Option(
        FROM_FILE,
        "file with headers, one a line; read again when it changes; repeatable",
        metavar="FILE",
        repeated=True,
        signs_in=True,
    ),
    *(Option(one.flag, one.help, metavar=one.metavar, signs_in=True) for one in flags()),
    Option("--connect-timeout", "seconds to wait for a connection", float, CONNECT_TIMEOUT_S, "S"),
    Option("--timeout", "seconds to wait for an answer", float, TIMEOUT_S, "S"),
    Option("--max-answer", "size limit of one answer, MB", int, MAX_ANSWER_MB, "MB"),
    Option(
        "--rate",
        "calls per second to offer, however fast the server is (open loop)",
        float,
        metavar="PER_S",
        on_form="calls a second to offer, however fast the server is",
        on_page=True,
        group=OFFERED,
        first=True,
    ),
    Option(
        "--arrivals",
        "when calls are due: constant, poisson, ramp:10-500, steps:…, spike:…, replay:FILE, recorded",
        metavar="SPEC",
        on_form="when calls are due: constant, poisson, ramp:10-500, steps:…, spike:…",
        on_page=True,
        group=OFFERED,
    ),
    Option(
        "--scenario",
        "MLPerf LoadGen scenario: single-stream, multi-stream, server (with --rate) or offline",
        metavar="NAME",
        choices=(NO_SCENARIO, *SCENARIOS),
        on_form="of MLPerf LoadGen; server takes its rate from the field Rate",
        on_page=True,
        group=OFFERED,
    ),
    Option("--seed", "seed for random arrivals and generated rows", int, 1, "N", group=SENT),
    Option("--calls", "stop after N calls by all users together", int, metavar="N", group=OFFERED),
    Option(
        "--iterations",
        "stop after N passes over the data by all users together",
        int,
        metavar="N",
        group=OFFERED,
    ),
    Option(
        "--warm-up",
        "exclude the first seconds (5s) or calls ('100 calls') from the figures",
        metavar="TIME",
        on_form="left out of the figures: 5s, or 100 calls",
        on_page=True,
        for_all=True,
        group=OFFERED,
        first=True,
    ),
    Option("--drain", "seconds to wait for calls in flight at the end", float, DRAIN_S, "S", group=OFFERED),
    Option(
        "--limit",
        "fail the run unless this holds, such as 'p99<50ms' or 'throughput>100/s'; repeatable",
        metavar="LIMIT",
        on_form="the run fails unless these hold: p99<50ms, throughput>100/s",
        repeated=True,
        on_page=True,
        for_all=True,
        group=JUDGED,
        first=True,
    ),
    Option(
        "--stop-when",
        "end the run early when this holds, such as 'p99>2s for 10s'; repeatable",
        metavar="CONDITION",
        on_form="the run ends early when one of these holds: p99>2s for 10s",
        repeated=True,
        on_page=True,
        for_all=True,
        group=JUDGED,
    ),
    Option(
        "--report-dir",
        "where to create each run's folder",
        default=REPORT_DIR,
        metavar="DIR",
        for_all=True,
        group=LEFT,
        first=True,
    ),
    Option(
        "--timings",
        "split each call into its parts, those inside the server too where it tells them (Server-Timing)",
        switch=True,
        group=LEFT,
    ),
    Option(
        "--traceparent",
        "send W3C trace context, with a new trace for each call; the report names the slowest ones",
        switch=True,
        on_page=True,
        group=SENT,
    ),
    Option(
        "--otlp",
        "send the run's metrics by OpenTelemetry (OTLP over HTTP): a URL, or env for its own variables",
        metavar="URL",
        for_all=True,
        group=LEFT,
    ),
    Option(
        "--scrape",
        "read the server's own metrics each second, where it shows them to Prometheus, and show which moved "
        "with latency; such as http://localhost:8002/metrics; repeatable",
        metavar="URL",
        repeated=True,
        on_form="the server's Prometheus metrics, such as http://localhost:8002/metrics",
        on_page=True,
        for_all=True,
        group=LEFT,
    ),
    Option(
        "--hand-out",
        "send the workers their payloads, so that they need no data file and no model",
        switch=True,
        group=SENT,
    ),
    Option("--keep-calls", "write every call to calls.parquet", switch=True, for_all=True, group=LEFT),
    Option("--quiet", "print only errors", switch=True, for_all=True, group=LEFT),
)
SIGN_IN_SCHEMES = schemes()
"""What begins a URL that always signs in."""
DEFAULTS: dict[str, Any] = {option.name: False if option.switch else option.default for option in OPTIONS}
