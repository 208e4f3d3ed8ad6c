"""Locust's page as a person uses it: its start form, and our tab. Knows selenium and Locust's form."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

T = TypeVar("T")
WAIT_S = 60


def until(find: Callable[[], T | None], what: str) -> T:
    """The first thing found that is true."""
    end_s, last = time.monotonic() + WAIT_S, None
    while time.monotonic() < end_s:
        try:
            if found := find():
                return found
        except (WebDriverException, LookupError, StopIteration) as problem:  # it is just being drawn anew
            last = problem
        time.sleep(0.2)
    raise AssertionError(f"{what}: not in {WAIT_S} s; {last}")


def fill(driver: WebDriver, **fields: str) -> None:
    """Type into the form, as a person would, and send it."""
    until(lambda: driver.find_elements(By.NAME, "userCount"), "the start form")
    for part in driver.find_elements(By.CSS_SELECTOR, '.MuiAccordionSummary-root[aria-expanded="false"]'):
        driver.execute_script("arguments[0].click()", part)  # they move as they open
    for name, value in fields.items():
        field = driver.find_element(By.NAME, name)
        until(field.is_displayed, name)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(value)
        assert field.get_attribute("value") == value
    driver.find_element(By.CSS_SELECTOR, "button[type=submit]").send_keys(Keys.ENTER)


def open_tab(driver: WebDriver) -> WebElement:
    """Choose the tab; what it shows."""

    def ours() -> WebElement | None:
        tabs = driver.find_elements(By.CSS_SELECTOR, "[role=tab]")
        return next((tab for tab in tabs if tab.text.lower() == "scorebench"), None)

    tab = until(ours, "the tab")
    assert tab is not None
    tab.click()
    return until(lambda: driver.find_element(By.CSS_SELECTOR, ".scorebench[role=tabpanel]"), "its panel")
