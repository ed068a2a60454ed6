"""The page of `make review` in Chromium: decided by keyboard, saved as a file that is taken in, accessible."""

from __future__ import annotations

import json
import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Browser
from tests.review.test_page import YEARS, page  # noqa: F401

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser without a screen."""
    started = Browser(tmp_path_factory.mktemp("browser"))
    yield started
    started.close()


def key(browser: Browser, letter: str) -> None:
    browser.run(f"document.body.dispatchEvent(new KeyboardEvent('keydown', {{key: '{letter}', bubbles: true}}))")


def test_a_person_decides_by_keyboard_and_saves(browser: Browser, page: Path, tmp_path: Path) -> None:  # noqa: F811
    browser.open(page)
    browser.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    key(browser, "a")
    assert "Enter your name" in browser.run("said.textContent")
    browser.run("by.value = 'Ada'; by.blur()")
    key(browser, "n")
    key(browser, "a")
    assert browser.run("said.textContent") == f"the map of {YEARS[0]}: accepted."
    browser.run("search.value = 'RGI60-15.00001'; search.dispatchEvent(new Event('input'))")
    browser.run("target.selectedIndex = 1; comment.value = 'a lake at the front'")
    key(browser, "r")
    assert browser.run("decisions.rows.length") == 3
    assert browser.run(f"document.querySelector('[data-decision=\"{YEARS[0]}\"]').textContent") == "accepted, Ada"
    browser.run("save.click(); new Promise(done => setTimeout(done, 1500))")
    saved = json.loads((tmp_path / "review.json").read_text("utf-8"))
    assert [(row["year"], row["decision"], row["by"]) for row in saved["years"]] == [(YEARS[0], "accept", "Ada")]
    (note,) = saved["notes"]
    assert (note["rgi_id"], note["decision"], note["comment"]) == ("RGI60-15.00001", "reject", "a lake at the front")
    assert browser.requests() == []
    assert browser.errors() == []


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (400, True)])
def test_it_fits_and_is_accessible(browser: Browser, page: Path, width: int, dark: bool) -> None:  # noqa: F811
    browser.open(page, width=width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.run(lzma.decompress((FOLDER / "axe.min.js.xz").read_bytes()).decode())
    found = browser.run("axe.run().then(result => result.violations.map(each => [each.id, each.nodes[0].html]))")
    assert found == []
