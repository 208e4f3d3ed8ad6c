"""A real nginx in front of something, for as long as a test needs it. Knows its program; no configuration."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import requirements


@contextmanager
def nginx_with(folder: Path, configuration: str) -> Iterator[None]:
    """It runs with this configuration, which writes its process id to `folder`/pid."""
    program = requirements.program("nginx")
    (folder / "nginx.conf").write_text(configuration)
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            until_s = time.monotonic() + 10
            while not (folder / "pid").exists() and time.monotonic() < until_s:
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
