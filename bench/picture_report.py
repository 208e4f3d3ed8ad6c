"""The picture of report.html, from a real run on the demo model's server, or from a run's folder.

    python -m bench.picture_report [FOLDER [FILE]]      docs/pictures/report.png by itself

Knows the command line and a browser; nothing of what the page shows.
"""

from __future__ import annotations

import base64
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.browser import browser

from scorebench.folders.names import LATEST, PAGE

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "report.png"
RUN = ["run", "webserver", "--port", "0", "--users", "8", "--rate", "40", "--arrivals", "poisson"]
RUN += ["--run-time", "60s", "--warm-up", "5s", "--limit", "p99<250ms", "--limit", "valid>99.9%"]
WIDTH, HEIGHT = 1280, 1660


def take(folder: Path | None = None, picture: Path = PICTURE) -> Path:
    """Keep what the page of the run in `folder` shows at its top; without a folder a run is made first."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        page = (_measured(Path(name)) if folder is None else folder) / PAGE
        with browser(Path(name) / "profile") as driver:
            size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            driver.get(page.resolve().as_uri())
            shot = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
            picture.write_bytes(base64.b64decode(shot["data"]))
    return picture


def _measured(parent: Path) -> Path:
    """A limit may be missed: that is a picture too."""
    done = subprocess.run(
        [sys.executable, "-m", "scorebench", *RUN, "--report-dir", str(parent)], check=False
    )
    if not (parent / LATEST / PAGE).exists():
        sys.exit(f"the run left no page (exit code {done.returncode})")
    return parent / LATEST


if __name__ == "__main__":
    print(take(*map(Path, sys.argv[1:3])))
