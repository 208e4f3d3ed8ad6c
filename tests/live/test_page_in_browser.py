"""report.html in a real browser, from disk, with the network off: what a person gets to see and hear."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from math import sin
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from tests.browser import browser, complaints
from tests.recordings import START_S, calls, evenly, recording
from tests.test_sweep import many

from scorebench.answers.outcome import Outcome
from scorebench.figures.summary import summarise
from scorebench.folders import folder
from scorebench.recordings.recording import Recording
from scorebench.report import sweep_page
from scorebench.verdicts.limits import parse_limit
from scorebench.verdicts.verdict import judge

ATTACK = "<script>document.title = 'owned'</script>"
CONTRAST = (Path(__file__).with_name("contrast.js")).read_text()


def measured() -> Recording:
    """Three users, one of them slower; a failed call whose answer is a script tag; samples."""
    service_s = [0.01 + 0.01 * (n % 3) for n in range(1500)]
    of = recording(
        calls(evenly(1500, 50.0, service_s), user=[n % 3 for n in range(1500)]),
        arrivals="constant",
        url="http://127.0.0.1:5000/invocations",
        host=ATTACK,
        command=f"scorebench run {ATTACK}",
    )
    of.measured.add(calls([(15.0, 15.0, 15.2)], outcome=Outcome.MODEL_ERROR, user=1))
    of.add_example(Outcome.MODEL_ERROR.label, f"500 {ATTACK}")
    of.events.append({"t_s": START_S + 12.0, "what": "server restarted", "why": ATTACK})
    for second in range(30):
        t_s, rss_bytes = START_S + second + 0.5, 100_000_000
        of.resources += [
            {"t_s": t_s, "who": "generator", "cpu": 0.2, "rss_bytes": rss_bytes, "users": 3},
            {"t_s": t_s, "who": "server", "cpu": 0.9, "rss_bytes": rss_bytes},
        ]
    return of


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder's page."""
    path = tmp_path_factory.mktemp("run")
    of = measured()
    summary = summarise(of)
    folder.write(path, of, summary, judge(summary, of, [parse_limit("p99<1s")]))
    return path / "report.html"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    with browser(tmp_path_factory.mktemp("profile")) as chromium:
        chromium.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        chromium.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        yield chromium


@pytest.fixture
def shown(driver: WebDriver, page: Path) -> WebDriver:
    see(driver)
    driver.get(page.as_uri())
    return driver


def see(driver: WebDriver, *, width: int = 1280, dark: bool = False, medium: str = "") -> None:
    """From now on as on a screen of that width, or printed."""
    size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": [scheme]})


def run(driver: WebDriver, script: str) -> Any:
    return driver.execute_script(script)


def test_every_chart_is_drawn_without_a_word_from_the_console(shown: WebDriver) -> None:
    """Percentiles, histogram, latency, rates, users, outcomes, CPU, memory: each has ink, and a size."""
    titles = [head.text for head in shown.find_elements(By.CSS_SELECTOR, ".chart-section h3")]
    assert len(titles) == 8
    boxes = run(
        shown,
        "return [...document.querySelectorAll('.chart')].map((chart) =>"
        " [...chart.querySelectorAll('.line, .area')].map((path) =>"
        " [path.getBBox().width, chart.getBoundingClientRect().height]))",
    )
    assert len(boxes) == len(titles)
    for lines in boxes:
        assert lines
        assert any(width > 100 and height > 100 for width, height in lines)
    assert complaints(shown) == []


def test_a_script_from_the_server_is_shown_and_not_run(shown: WebDriver) -> None:
    """In the example answer, the event, the command and the environment."""
    assert shown.title != "owned"
    text = shown.find_element(By.TAG_NAME, "main").text
    assert text.count(ATTACK) == 4
    assert len(shown.find_elements(By.TAG_NAME, "script")) == 1


def test_the_policy_lets_no_connection_and_no_other_script(shown: WebDriver) -> None:
    """A script that somebody slipped in does not run, a request does not leave; the console says so."""
    run(
        shown,
        "const evil = document.createElement('script'); evil.textContent = 'window.evil = 1';"
        "document.body.append(evil); fetch('http://127.0.0.1:9/').catch(() => { window.refused = 1; });",
    )
    assert run(shown, "return window.evil") is None
    said = " ".join(complaints(shown))
    assert "script-src" in said
    assert "connect" in said


def column(driver: WebDriver, number: int) -> list[str]:
    return [cell.text for cell in driver.find_elements(By.CSS_SELECTOR, f"#users td:nth-child({number})")]


def test_the_table_of_users_sorts_by_a_pressed_head(shown: WebDriver) -> None:
    """By number, up and then down; the head says which to who can't see it."""
    assert column(shown, 2) == ["0", "1", "2"]
    means = [float(mean) for mean in column(shown, 5)]
    head = shown.find_element(By.CSS_SELECTOR, "#users th:nth-child(5)")
    head.find_element(By.TAG_NAME, "button").click()
    assert [float(mean) for mean in column(shown, 5)] == sorted(means)
    assert head.get_attribute("aria-sort") == "ascending"
    head.find_element(By.TAG_NAME, "button").click()
    assert column(shown, 2) == ["2", "1", "0"]
    assert head.get_attribute("aria-sort") == "descending"


def test_arrow_keys_read_a_chart_and_those_on_the_same_axis(shown: WebDriver) -> None:
    """The value at a place, in words; the charts along time go together."""
    chart = shown.find_element(By.CSS_SELECTOR, "[data-group=time] .chart")
    chart.send_keys("\ue014\ue014")  # the right arrow, twice
    legends = shown.find_elements(By.CSS_SELECTOR, "[data-group=time] .legend")
    assert len(legends) == 6
    assert all("at " in legend.text for legend in legends)
    assert "at 1 s" in legends[0].text
    assert "slowest call 29.8 ms" in legends[0].text or "slowest call 30" in legends[0].text


@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_contrast(shown: WebDriver, dark: bool) -> None:
    """WCAG 2's ratio of 4.5 between each text and what is behind it, by day and by night."""
    see(shown, dark=dark)
    found = run(shown, CONTRAST)
    assert len(found) > 100
    assert [one for one in found if one[0] < 4.5] == []
    paper = run(shown, "return getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")


def test_the_measure_of_contrast_sees_pale_text(shown: WebDriver) -> None:
    """Grey #999999 on white has a ratio of 2.85."""
    run(shown, "document.querySelector('p.note').style.color = '#999999'")
    assert [round(one[0], 2) for one in run(shown, CONTRAST) if one[0] < 4.5] == [2.85]


def test_it_fits_a_phone(shown: WebDriver) -> None:
    """Nothing is wider than 390 pixels; letters of the charts are as large as on a desk."""
    see(shown, width=390)
    assert run(shown, "return document.documentElement.scrollWidth") <= 390
    assert run(shown, "return document.querySelector('.tick').getBoundingClientRect().height") >= 10


def test_it_prints_in_black_on_white(shown: WebDriver) -> None:
    """Even for a reader of the night; eight charts and all tables on three sheets of A4."""
    see(shown, dark=True, medium="print")
    assert run(shown, "return getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    found = shown.execute_cdp_cmd("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})
    sheets = re.findall(rb"/Type /Page\b", base64.b64decode(found["data"]))
    assert len(sheets) == 3


def test_a_screen_reader_hears_names(shown: WebDriver) -> None:
    """Each chart and each button has a name, each table a caption; headings go down one step at a time."""
    tree = shown.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [
        (node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if not node["ignored"]
    ]
    charts = [name for role, name in roles if role in ("image", "img", "graphics-document") and name]
    buttons = [name for role, name in roles if role == "button"]
    assert len(charts) >= 8
    assert {"User", "Mean ms"} <= {name.split(" ↕")[0].strip() for name in buttons}
    assert all(name for role, name in roles if role in ("button", "table", "heading", "image", "img"))
    levels = run(shown, "return [...document.querySelectorAll('h1,h2,h3,h4')].map((h) => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    tables, captions = (
        run(shown, f"return document.querySelectorAll('{tag}').length") for tag in ("table", "caption")
    )
    assert tables == captions > 8


def test_a_run_without_a_call_has_a_page(driver: WebDriver, tmp_path: Path) -> None:
    """Its verdict, and no error from a script that looks for charts."""
    of = Recording()
    summary = summarise(of)
    folder.write(tmp_path, of, summary, judge(summary, of))
    see(driver)
    complaints(driver)
    driver.get((tmp_path / "report.html").as_uri())
    assert "Not valid." in driver.find_element(By.TAG_NAME, "main").text
    assert driver.find_elements(By.CSS_SELECTOR, ".chart") == []
    assert complaints(driver) == []


def test_a_metric_of_the_server_with_a_long_name_fits_a_phone(driver: WebDriver, tmp_path: Path) -> None:
    """And what stands in its name is text. Thirty seconds, in which it moves with latency."""
    waves_s = [0.01 * sin(second) ** 2 for second in range(30)]
    of = recording(calls(evenly(1500, 50.0, [0.01 + waves_s[n // 50] for n in range(1500)])))
    for second, wave_s in enumerate([0.0, *waves_s]):
        of.add_scrape(START_S + second, {}, {f'queue{{a="{ATTACK}{"b" * 200}"}}': wave_s})
    summary = summarise(of)
    assert summary.server_metrics is not None
    assert len(summary.server_metrics.moved) == 1
    folder.write(tmp_path, of, summary, judge(summary, of))
    see(driver, width=390)
    complaints(driver)
    driver.get((tmp_path / "report.html").as_uri())
    assert run(driver, "return document.documentElement.scrollWidth") <= 390
    assert ATTACK in driver.find_element(By.TAG_NAME, "main").text
    assert complaints(driver) == []


def test_the_page_of_a_sweep_fits_a_phone_and_a_desk(driver: WebDriver, tmp_path: Path) -> None:
    """120 cells, one with a long reason: nothing is wider than the screen, and every chart has ink.

    The table of cells, whose last column is the reason, is not cut on a desk. A phone has it in a list.
    """
    made = many()
    reason = "the generator was late: 12 % of the calls were sent more than 10 ms after they were due"
    late = replace(made.cells[0], runs=(replace(made.cells[0].runs[0], invalid=reason),))
    page = tmp_path / "report.html"
    page.write_text(sweep_page.render(replace(made, cells=(late, *made.cells[1:]))))
    driver.get(page.as_uri())
    for width in (1280, 390):
        see(driver, width=width)
        assert run(driver, "return document.documentElement.scrollWidth") <= width
        boxes = run(
            driver,
            "return [...document.querySelectorAll('.chart')].map((chart) =>"
            " [...chart.querySelectorAll('.line, .dot')].length)",
        )
        assert len(boxes) > 40
        assert all(boxes)
        listed = driver.find_element(By.CSS_SELECTOR, ".steps .findings li")
        assert reason in listed.text
        assert listed.is_displayed()
        if width == 1280:
            assert run(driver, "return document.querySelector('#cells').scrollWidth") <= run(
                driver, "return document.querySelector('#cells').parentElement.clientWidth"
            )
        assert not driver.find_element(By.CSS_SELECTOR, ".verdict.plain").is_displayed()
    driver.find_element(By.CSS_SELECTOR, ".verdicts summary").click()
    assert driver.find_element(By.CSS_SELECTOR, ".verdict.plain").is_displayed()
    assert complaints(driver) == []
    see(driver)


def test_a_series_can_be_switched_off(shown: WebDriver) -> None:
    """By its name in the legend, which says so to who can't see it; pressed again, it is back."""
    first = "document.querySelector('[data-group=time]')"
    key = shown.find_element(By.CSS_SELECTOR, "[data-group=time] .legend button")
    seen = f"return getComputedStyle({first}.querySelector('.lines > path')).display"
    for pressed, display in (("false", "none"), ("true", "inline")):
        key.click()
        assert key.get_attribute("aria-pressed") == pressed
        assert run(shown, seen) == display
    assert complaints(shown) == []


def test_a_part_of_the_run_is_looked_at_closer(shown: WebDriver) -> None:
    """Dragged from a quarter to a half of 30 s: seconds 7 to 15, in all charts along time, and back."""
    chart = shown.find_element(By.CSS_SELECTOR, "[data-group=time] .chart")
    quarter = chart.size["width"] // 4
    drag = ActionChains(shown).move_to_element_with_offset(chart, -quarter, 0).click_and_hold()
    drag.move_by_offset(quarter, 0).release().perform()
    boxes = run(
        shown,
        "return [...document.querySelectorAll('[data-group=time] .lines')]"
        ".map((lines) => lines.getAttribute('viewBox').split(' ').map(Number))",
    )
    assert len(boxes) == 6
    assert all(abs(box[0] - 250) < 10 and abs(box[2] - 250) < 10 for box in boxes)
    closer = [text.text for text in chart.find_elements(By.CSS_SELECTOR, ".closer")]
    assert closer[0] in ("7 s", "8 s")
    assert closer[-1] in ("15 s", "16 s")
    shown.find_element(By.XPATH, "//div[@data-group='time']//button[.='Show the whole run']").click()
    assert run(shown, "return document.querySelectorAll('.closer, .lines.zoomed').length") == 0
    assert complaints(shown) == []


def test_a_chart_is_saved_as_image_and_data(shown: WebDriver) -> None:
    """The data are the values that the chart has; the image stands alone, as XML that opens."""
    run(
        shown,
        "window.saved = []; URL.createObjectURL = (blob) => { window.saved.push(blob); return '#'; };"
        "HTMLAnchorElement.prototype.click = () => {};",
    )
    for word in ("Save data", "Save image"):
        shown.find_element(By.XPATH, f"//div[@data-group='time'][1]//button[.='{word}']").click()
    table, image = shown.execute_async_script(
        "const done = arguments[0]; Promise.all(window.saved.map((blob) => blob.text())).then(done);"
    )
    rows = [line.split(",") for line in table.splitlines()]
    assert rows[0] == ['"at"', '"p50"', '"slowest call"']
    assert [row[0] for row in rows[1:]] == [str(second) for second in range(31)]
    assert float(rows[1][2]) == pytest.approx(0.03, rel=0.01)
    root = ElementTree.fromstring(image)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "slowest call" in "".join(root.itertext())
    assert complaints(shown) == []
