"""Where a run took place: versions, host, cores, and which of them load and server share.

Knows the machine; nothing of the run.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import socket
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

PACKAGES = ("scorebench", "locust", "gevent", "httptools", "hdrhistogram", "numpy", "pandas", "mlflow")
SENDERS = ("scorebench", "locust", "gevent", "httptools", "hdrhistogram", "numpy", "msgspec")
"""What sends and counts: workers with others measure something else."""
ENCODERS = ("pandas", "pyarrow", "numpy", "mlflow", "msgspec")
"""What makes bodies of rows: with other versions the same rows may become other bytes."""


def versions(names: Iterable[str] = SENDERS) -> dict[str, str]:
    """Python's version, and those of the packages that are installed."""
    return {"python": platform.python_version(), **dict(_installed(names))}


def describe() -> dict[str, Any]:
    """What figures depend on besides server and load."""
    return {
        "versions": versions(PACKAGES),
        "host": socket.gethostname(),
        "system": _system(),
        "host_cores": os.cpu_count(),
        "processor": _processor(),
        "generator_cpus": _own_cores(),
    }


def shared_cores(server_host: str, server_cpus: Iterable[int] | None) -> bool | None:
    """Whether load and server ran on the same cores; None if the server is elsewhere or unknown."""
    if server_host not in ("localhost", "::1") and not server_host.startswith("127."):
        return None
    own = _own_cores()
    if server_cpus is None or own is None:
        return True
    return bool(set(server_cpus) & set(own))


def _system() -> str:
    """As `platform.platform()`, which starts a process to ask for the processor, while the test waits."""
    if not hasattr(os, "uname"):
        return platform.platform()
    system, libc = os.uname(), "".join(platform.libc_ver())
    return "-".join([system.sysname, system.release, system.machine, *([f"with-{libc}"] if libc else [])])


def _processor() -> str | None:
    """The model of the first processor, as Linux tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip() or None
    return platform.processor() or None if sys.platform == "darwin" else None


def _own_cores() -> list[int] | None:
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _installed(names: Iterable[str]) -> Iterable[tuple[str, str]]:
    for name in names:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
