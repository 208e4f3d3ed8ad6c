"""The pages of many runs in a real browser: what stands first, what fits a phone, and what is printed."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from tests.browser import browser
from tests.live.test_page_in_browser import CONTRAST, run, see
from tests.recordings import calls, evenly, recording
from tests.test_matrix import good
from tests.test_report_page import searched
from tests.test_soaks import soak
from tests.test_sweep import swept

from scorebench.comparison.compare import RunSet, compare
from scorebench.comparison.matrix import Cell, Matrix
from scorebench.figures.summary import summarise
from scorebench.report import capacity_page, compare_page, matrix_page, soak_page, sweep_page

COLUMNS = [f"a_column_with_a_long_name_{n}" for n in range(9)]
SOURCE = {"kind": "file", "name": "rows.csv", "columns": COLUMNS, "column_count": 9}
FACTS = {
    "url": "http://127.0.0.1:5001/invocations",
    "started_s": 1_700_000_000.0,
    "payload": {"rows": 4898, "rows_per_call": 1, "format": "split", "source": SOURCE},
}


def _compared() -> str:
    of = summarise(recording(calls(evenly(1000)), **FACTS))
    return compare_page.render([compare(RunSet("before", (of,) * 3), RunSet("after", (of,) * 3))])


def _compared_repeats() -> str:
    """Sets with the names of folders of `run --repeat`, some told apart by the moment alone."""
    of = summarise(recording(calls(evenly(1000)), arrivals="constant", **FACTS))
    before, after = [RunSet(f"{name}/127.0.0.1-3-runs", (of,) * 3) for name in ("before", "after")]
    sets = [
        RunSet(f"reports/2026-11-27T1348{second}-inference.example.com-3-runs", (of,) * 3)
        for second in range(15, 18)
    ]
    return compare_page.render([compare(before, after), *(compare(sets[0], one) for one in sets[1:])])


def _cells() -> str:
    bad = Cell("docker", "mleap", "split-1x", error="the image could not be built: " + "x" * 90)
    return matrix_page.render(Matrix((good("webserver", "sklearn"), bad)))


PAGES: dict[str, Callable[[], str]] = {
    "capacity": lambda: capacity_page.render("Holds 90/s.\nFails at 110/s.\n", searched()),
    "compare": _compared,
    "compare repeats": _compared_repeats,
    "matrix": _cells,
    "soak": lambda: soak_page.render(soak()),
    "sweep": lambda: sweep_page.render(swept()),
}


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    with browser(tmp_path_factory.mktemp("profile")) as chromium:
        yield chromium


@pytest.fixture(params=PAGES)
def shown(request: pytest.FixtureRequest, driver: WebDriver, tmp_path: Path) -> WebDriver:
    page = tmp_path / "report.html"
    page.write_text(PAGES[request.param]())
    see(driver)
    driver.get(page.as_uri())
    return driver


CUT = """return [...document.querySelectorAll('.scroll, .legend, pre, .verdict')]
.filter((one) => one.checkVisibility() && one.scrollWidth > one.clientWidth && !one.querySelector('.cells'))
.map((one) => [one.getAttribute('aria-label') || one.textContent, one.scrollWidth, one.clientWidth])"""
"""What is wider than its place. A matrix has a column a model: on a phone it scrolls in its own frame."""

UPON_ANOTHER = """return [...document.querySelectorAll('svg.chart')].flatMap((chart) => {
  const texts = [...chart.querySelectorAll('text')]
    .map((one) => [one.textContent, one.getBoundingClientRect()]);
  return texts.flatMap(([a, p], n) => texts.slice(n + 1).filter(([, q]) => p.width && q.width
    && Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1
    && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3).map(([b]) => [a, b]));
})"""
OUTSIDE = """return [...document.querySelectorAll('svg.chart text')]
.map((one) => [one.textContent, one.getBoundingClientRect()])
.filter(([, box]) => box.width && (box.left < 0 || box.right > document.documentElement.clientWidth + 0.5))
.map(([text]) => text)"""


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_cut_and_no_label_lies_upon_another(shown: WebDriver, width: int) -> None:
    """On a desk and on a phone."""
    see(shown, width=width)
    assert run(shown, "return document.documentElement.scrollWidth") <= width
    for measure in (CUT, UPON_ANOTHER, OUTSIDE):
        assert run(shown, measure) == []


def test_the_measures_see_a_wide_table_and_labels_upon_another(driver: WebDriver, tmp_path: Path) -> None:
    """A table that is twice as wide as the screen; two labels at one place; one left of the page."""
    page = tmp_path / "bad.html"
    page.write_text(
        "<div class=scroll style='overflow:auto;width:300px'><div style='width:600px'>wide</div></div>"
        "<svg class=chart><text x=50 y=20>one</text><text x=52 y=20>two</text>"
        "<text x=-40 y=60>far</text></svg>"
    )
    see(driver)
    driver.get(page.as_uri())
    assert len(run(driver, CUT)) == 1
    assert run(driver, UPON_ANOTHER) == [["one", "two"]]
    assert run(driver, OUTSIDE) == ["far"]


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_of_every_page_has_contrast(shown: WebDriver, dark: bool) -> None:
    """WCAG 2's ratio of 4.5 between each text and what is behind it."""
    see(shown, dark=dark)
    assert [one for one in run(shown, CONTRAST) if one[0] < 4.5] == []


def test_the_answer_is_seen_without_scrolling(shown: WebDriver) -> None:
    """On a phone of 844 pixels: the first sentence that judges ends on the first screen."""
    see(shown, width=390)
    assert run(shown, "return document.querySelector('.verdict').getBoundingClientRect().bottom") <= 844


def test_every_page_prints_on_three_sheets(shown: WebDriver) -> None:
    see(shown, medium="print")
    found = shown.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    assert len(re.findall(rb"/Type /Page\b", base64.b64decode(found["data"]))) <= 3
