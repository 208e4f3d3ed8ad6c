"""The options of a run, each written once: for `locust`, for `scorebench`, for Locust's page, for the docs.

Knows names, types, defaults and help texts; nothing of what an option does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scorebench.payloads.format_names import DEFAULT_FORMAT, FORMATS

TIMEOUT_S = 60.0
CONNECT_TIMEOUT_S = 5.0
DRAIN_S = 60.0
MAX_ANSWER_MB = 64
PAYLOAD_MEMORY_MB = 256
REPORT_DIR = "reports"
DEFAULT_USERS = 5
DEFAULT_RUN_TIME = "30s"


@dataclass(frozen=True)
class Option:
    """One option. `on_page`: it stands in the start form of Locust's web page."""

    flag: str
    help: str
    kind: Callable[[str], Any] = str
    default: Any = None
    metavar: str | None = None
    repeated: bool = False
    switch: bool = False
    on_page: bool = False

    @property
    def name(self) -> str:
        """The attribute that the parsed option becomes."""
        return self.flag.removeprefix("--").replace("-", "_")

    def arguments(self) -> dict[str, Any]:
        """What argparse's add_argument takes."""
        if self.switch:
            return {"action": "store_true", "default": False, "help": self.help}
        common: dict[str, Any] = {"default": self.default, "help": self.help, "metavar": self.metavar}
        return common | ({"action": "append"} if self.repeated else {"type": self.kind})


OPTIONS = (
    Option(
        "--data",
        "rows to send: a CSV, Parquet or JSON file; without it the model's example, or rows made from its "
        "signature; without a model the demo's",
        metavar="FILE",
    ),
    Option(
        "--model",
        "model whose signature selects and casts the columns: a folder with an MLmodel file, or a URI",
        metavar="URI",
    ),
    Option("--body", "a ready request body, sent as it is", metavar="FILE"),
    Option(
        "--label", "column left out of what is sent, where the data has it", default="quality", metavar="NAME"
    ),
    Option("--drop", "column left out of what is sent; may be given again", metavar="COLUMN", repeated=True),
    Option("--rows", "send only the first N rows, or make N from a signature", int, metavar="N"),
    Option(
        "--format",
        " or ".join((", ".join(FORMATS[:-1]), FORMATS[-1])),
        default=DEFAULT_FORMAT,
        metavar="FORMAT",
        on_page=True,
    ),
    Option("--rows-per-call", "records in a call", int, 1, "N", on_page=True),
    Option("--params", "MLflow's inference parameters, a JSON object", metavar="JSON"),
    Option("--payload-memory", "most memory for encoded bodies, MB", int, PAYLOAD_MEMORY_MB, "MB"),
    Option("--ca-file", "certificates to verify the server with, PEM", metavar="FILE"),
    Option(
        "--bearer-env",
        "environment variable that holds a bearer token; the token itself is no option",
        metavar="NAME",
    ),
    Option("--bearer-file", "file that holds a bearer token", metavar="FILE"),
    Option("--region", "AWS region of a sagemaker:// endpoint", metavar="REGION"),
    Option("--endpoint-url", "where a sagemaker:// endpoint is reached instead of AWS's own", metavar="URL"),
    Option("--connect-timeout", "seconds to wait for a connection", float, CONNECT_TIMEOUT_S, "S"),
    Option("--timeout", "seconds to wait for an answer", float, TIMEOUT_S, "S"),
    Option("--max-answer", "most memory for one answer, MB", int, MAX_ANSWER_MB, "MB"),
    Option(
        "--rate",
        "calls a second to offer, whatever the server does (open loop)",
        float,
        metavar="PER_S",
        on_page=True,
    ),
    Option(
        "--arrivals",
        "how calls arrive: constant, poisson, ramp:10-500, steps:…, spike:…, replay:FILE",
        metavar="SPEC",
        on_page=True,
    ),
    Option(
        "--scenario",
        "as MLPerf's LoadGen: single-stream, multi-stream, server (with --rate) or offline",
        metavar="NAME",
        on_page=True,
    ),
    Option("--seed", "seed of random arrivals and made rows", int, 1, "N"),
    Option("--calls", "stop after N calls, all users together", int, metavar="N"),
    Option("--iterations", "stop after N passes over the data, all users together", int, metavar="N"),
    Option(
        "--warm-up",
        "leave the first seconds (5s) or calls ('100 calls') out of the figures",
        metavar="TIME",
        on_page=True,
    ),
    Option("--drain", "seconds to wait at the end for calls in flight", float, DRAIN_S, "S"),
    Option(
        "--limit",
        "what the run must keep, such as 'p99<50ms' or 'throughput>100/s'; may be given again",
        metavar="LIMIT",
        repeated=True,
        on_page=True,
    ),
    Option(
        "--stop-when",
        "end a run that is lost, such as 'p99>2s for 10s'; may be given again",
        metavar="CONDITION",
        repeated=True,
        on_page=True,
    ),
    Option("--report-dir", "folder that gets a folder for each run", default=REPORT_DIR, metavar="DIR"),
    Option("--keep-calls", "write every call to calls.parquet", switch=True),
    Option("--quiet", "print nothing but errors", switch=True),
)
DEFAULTS: dict[str, Any] = {option.name: False if option.switch else option.default for option in OPTIONS}
