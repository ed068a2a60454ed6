"""The page of `make compare` in Chromium: A beside B in each year, by pointer and keyboard, accessible."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Browser
from tests.browser.test_page import box
from tests.versions.compare.comparison_inputs import LARGEST, LESS_KM2, make_comparison

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).parent


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of two versions of three simulated years."""
    return make_comparison(tmp_path_factory.mktemp("comparison")) / "compare.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser without a screen."""
    started = Browser(tmp_path_factory.mktemp("browser"))
    yield started
    started.close()


def lines(browser: Browser, side: str) -> set[str]:
    """Colours of the outlines that a side of the divider shows."""
    paths = f"document.querySelectorAll('.leaflet-{side}-side-pane path.leaflet-interactive')"
    return set(browser.run(f"[...{paths}].map(each => each.getAttribute('stroke'))"))


def test_a_lies_left_of_the_divider_and_b_right_of_it_in_the_same_year(browser: Browser, page: Path) -> None:
    browser.open(page)
    labels = "document.getElementById('left-year').textContent + document.getElementById('right-year').textContent"
    assert browser.run(labels) == "AB"
    assert (lines(browser, "other"), lines(browser, "year")) == ({"#d55e00"}, {"#0072b2"})
    clip = "document.querySelector('.leaflet-other-side-pane').style.clip"
    before = browser.run(clip)
    browser.run("document.getElementById('swipe').focus()")
    browser.press("ArrowRight")
    assert browser.run(clip) != before
    scenes = "[...document.querySelectorAll('#map .leaflet-image-layer')].map(each => each.src)"
    last = browser.run(scenes)
    browser.run("document.getElementById('year').focus()")
    browser.press("ArrowLeft")
    assert browser.run("document.getElementById('year-text').textContent") == "2023-10-15"
    assert browser.run(scenes) != last
    browser.run("document.getElementById('other').click()")
    assert lines(browser, "year") == {"#d55e00", "#0072b2"}
    assert browser.run("getComputedStyle(document.getElementById('divider')).display") == "none"
    assert browser.requests() == []
    assert browser.errors() == []


def test_a_glacier_answers_with_both_areas(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.run(f"search.value = '{LARGEST}', search.dispatchEvent(new Event('input'))")
    a, b = browser.run(
        "[...document.querySelectorAll('#glacier .readout')].map(each => parseFloat(each.textContent.slice(6)))"
    )
    assert a - b == pytest.approx(LESS_KM2, abs=0.011)
    browser.run("new Promise(done => setTimeout(done, 500))")  # until it has zoomed in
    left, top, width, height = box(browser, "#map")
    browser.move(left + width * 0.75, top + height / 2)
    browser.run("new Promise(done => setTimeout(done, 100))")
    shown = browser.run("document.querySelector('#map .leaflet-tooltip').textContent")
    assert f"A 2024: {a:.2f} km²" in shown
    assert f"B 2024: {b:.2f} km²" in shown


def test_each_layer_can_be_shown_and_hidden(browser: Browser, page: Path) -> None:
    browser.open(page)
    drawn = "document.querySelectorAll('#map .leaflet-image-layer').length"
    before = browser.run(drawn)
    browser.run("document.getElementById('layer-onlyA').click()")
    browser.run("document.getElementById('scene-none').click()")
    assert browser.run(drawn) == before - 4, "a picture of each side"
    browser.run("document.getElementById('layer-outlineA').click()")
    assert lines(browser, "other") == set()
    browser.run("document.getElementById('layer-old').click()")
    assert len(lines(browser, "other")) == 1
    assert browser.errors() == []


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (800, True), (400, False)])
def test_it_fits_and_is_accessible(browser: Browser, page: Path, width: int, dark: bool) -> None:
    browser.open(page, width=width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    browser.run(lzma.decompress((FOLDER / "axe.min.js.xz").read_bytes()).decode())
    browser.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    found = browser.run(
        "axe.run().then(result => result.violations.map(each => [each.id, each.nodes[0].html.slice(0, 200)]))"
    )
    assert found == []
