"""A reader of the catalog in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait


class Reader:
    """A reader with an open browser."""

    def __init__(self, browser: webdriver.Chrome, site: Path) -> None:
        self.browser = browser
        self.address = site.as_uri()

    def go_home(self) -> None:
        self.browser.get("about:blank")
        self.browser.get(self.address)

    def open(self, address: str) -> None:
        """Open a page of the catalog by the part of its address from # on."""
        self.browser.get("about:blank")
        self.browser.get(f"{self.address}{address}")

    def find(self, how: str, what: str) -> WebElement:
        """The first visible element that matches, once there is one."""

        def visible(browser: webdriver.Chrome) -> WebElement | None:
            return next((e for e in browser.find_elements(how, what) if e.is_displayed()), None)

        return WebDriverWait(self.browser, 20).until(visible, f"nothing visible: {what}")

    def text_with(self, words: str) -> str:
        """The text of the page as one line, once it contains these words."""
        self.find(By.XPATH, f"//*[text()[contains(., '{words}')]]")
        return " ".join(self.browser.find_element(By.TAG_NAME, "body").text.split())

    def search(self, words: str) -> list[WebElement]:
        """Type words into the search box of the home page. Returns the results."""
        self.go_home()
        self.find(By.XPATH, "//h1[text()='The data mesh portmesh']")
        self.find(By.ID, "search").send_keys(words)
        self.find(By.CSS_SELECTOR, ".search-result")
        return self.browser.find_elements(By.CSS_SELECTOR, ".search-result")

    def query(self) -> str:
        """The query that a port's page shows."""
        return str(self.find(By.CSS_SELECTOR, ".model-markdown pre").get_attribute("textContent")).strip()

    def links(self, start: str) -> list[str]:
        """The texts of the visible links to addresses with this start."""
        elements = self.browser.find_elements(By.CSS_SELECTOR, f"a[href^='{start}']")
        return [element.text for element in elements if element.is_displayed()]


@contextmanager
def reader_of(site: Path, profile: Path) -> Iterator[Reader]:
    """Headless Chromium with its own profile folder. Skips the test if Chromium is not installed."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver_path = shutil.which("chromedriver")
    if not browser_path or not driver_path:
        pytest.skip("no browser: install chromium and chromedriver to see the catalog as a reader does")
    options = Options()
    options.binary_location = browser_path
    for argument in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1400,2000",
        f"--user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(driver_path))
    try:
        yield Reader(browser, site)
    finally:
        browser.quit()
