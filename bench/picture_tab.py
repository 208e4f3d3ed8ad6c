"""The picture of the tab in Locust's page, from a real run on the demo model's server.

    python -m bench.picture_tab [FILE]      docs/pictures/tab.png by itself

Knows how the tests drive Locust's page; the server, Locust and the browser end with it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.browser import browser
from tests.locust_form import fill, open_tab, until
from tests.locust_page import locust_page

from scorebench import servers
from scorebench.models.flavors import demo_model

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "tab.png"
RUN = {"userCount": "6", "spawnRate": "100", "runTime": "75s", "rate": "40", "arrivals": "poisson"}
LIMITS = "p95<200ms, valid>99.9%"
SHOWN_AFTER_S = 55  # the charts of the last minute are almost full
WIDTH, HEIGHT = 1280, 1500


def take(picture: Path = PICTURE) -> Path:
    """Start a run from the form and keep what the tab shows while it goes on; the file that was written."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    server = servers.create("webserver", model_uri=str(demo_model("sklearn")), port=0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with (
            servers.running(server),
            locust_page(folder, server.endpoint.removesuffix("/invocations")) as url,
            browser(folder / "profile", width=WIDTH, height=HEIGHT) as driver,
        ):
            driver.get(f"{url}/")
            fill(driver, **RUN, limit=LIMITS)
            panel = open_tab(driver)
            until(lambda: "Running: " in panel.text, "the run")
            time.sleep(SHOWN_AFTER_S)
            driver.save_screenshot(str(picture))
    return picture


if __name__ == "__main__":
    print(take(*map(Path, sys.argv[1:2])))
