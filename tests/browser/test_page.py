"""The page in Chromium: it fetches nothing, answers to pointer and keyboard, and is accessible."""

from __future__ import annotations

import csv
import hashlib
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.chromium import Browser
from tests.report import report_inputs
from tests.report.conftest import run_report

pytestmark = pytest.mark.browser
FOLDER = Path(__file__).parent
LARGEST = "RGI60-15.00001"
SHOWN = "getComputedStyle(document.getElementById('{}')).display !== 'none'"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report of nine simulated years."""
    return run_report(report_inputs.make_artifacts(tmp_path_factory.mktemp("nine") / "site", storage="sentinel2"))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser without a screen."""
    started = Browser(tmp_path_factory.mktemp("browser"))
    yield started
    started.close()


@pytest.fixture
def page(browser: Browser, report: Path) -> Browser:
    """The page, freshly opened from its file."""
    browser.open(report / "index.html")
    return browser


def text(page: Browser, selector: str) -> str:
    return str(page.run(f"document.querySelector({selector!r}).textContent"))


def box(page: Browser, selector: str) -> list[float]:
    """Left, top, width and height of an element that has been scrolled into view."""
    find = f"document.querySelector({selector!r})"
    page.run(f"{find}.scrollIntoView({{block: 'center', behavior: 'instant'}})")
    page.run("new Promise(done => setTimeout(done, 100))")
    answer = page.run(f"(() => {{ const b = {find}.getBoundingClientRect(); return [b.x, b.y, b.width, b.height] }})()")
    return [float(value) for value in answer]


def on_ice(page: Browser) -> tuple[float, float]:
    """A place in the window that is ice of the largest glacier in all years, left of the rock inside it."""
    left, top, width, height = box(page, "#map .leaflet-image-layer")
    return left + width * 42 / report_inputs.WIDTH, top + height * 60 / report_inputs.HEIGHT


def areas(report: Path, name: str, **keys: str) -> dict[str, float]:
    """Area by year of the rows of a table that have these values."""
    with (report.parent / "area" / name).open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if all(row[key] == value for key, value in keys.items())]
    return {row["year"]: float(row.get("glacier_area_km2") or row["area_km2"]) for row in rows}


@pytest.mark.parametrize("width", [1400, 800, 400])
def test_it_fetches_nothing_and_nothing_is_cut_off(browser: Browser, report: Path, width: int) -> None:
    browser.open(report / "index.html", width=width)
    assert browser.requests() == []
    assert browser.errors() == []
    assert browser.run("document.documentElement.scrollWidth") <= width


def test_a_real_site_of_one_year_opens_too(browser: Browser, tmp_path: Path) -> None:
    browser.open(run_report(report_inputs.make_artifacts(tmp_path, (2024,), simulated=False)) / "index.html")
    assert browser.requests() == []
    assert browser.errors() == []
    assert browser.run("document.getElementById('year').disabled")
    assert text(browser, "#area-chart .readout").startswith("2024: ")


def test_the_slider_changes_year_scene_and_outlines(page: Browser) -> None:
    scene = "document.querySelector('#map .leaflet-image-layer').src"
    line = "document.querySelector('#map path.leaflet-interactive').getAttribute('d')"
    before = page.run(f"[{scene}, {line}]")
    assert text(page, "#year-text") == "2024-10-15"
    page.run("document.getElementById('year').focus()")
    page.press("ArrowLeft")
    assert text(page, "#year-text") == "2023-10-15"
    after = page.run(f"[{scene}, {line}]")
    assert after[0] != before[0]
    assert after[1] != before[1]


def test_hover_shows_the_number_of_the_table(page: Browser, report: Path) -> None:
    page.move(*on_ice(page))
    page.run("new Promise(done => setTimeout(done, 100))")
    shown = text(page, "#map .leaflet-tooltip")
    area = areas(report, "area_by_glacier.csv", rgi_id=LARGEST)["2024"]
    assert shown.startswith(f"Large <&> first2024: {area:.2f} km²")
    assert "° N" in text(page, "#coordinates")


def test_click_and_search_show_a_glacier_of_its_own(page: Browser, report: Path) -> None:
    page.click(*on_ice(page))
    assert text(page, "#glacier h3") == "Large <&> first"
    area = areas(report, "area_by_glacier.csv", rgi_id=LARGEST)["2024"]
    assert text(page, "#glacier .readout").startswith(f"2024: {area:.2f} km²")
    page.run("search.value = 'rgi60-15.00003', search.dispatchEvent(new Event('input'))")
    assert text(page, "#glacier h3") == "RGI60-15.00003"


def test_two_years_are_compared_left_and_right_of_the_divider(page: Browser) -> None:
    assert not page.run(SHOWN.format("divider"))
    page.run("other.value = '2015', other.dispatchEvent(new Event('change'))")
    assert page.run(SHOWN.format("divider"))
    assert (text(page, "#left-year"), text(page, "#right-year")) == ("2015", "2024")
    clip = "document.querySelector('.leaflet-other-side-pane').style.clip"
    before = page.run(clip)
    page.run("document.getElementById('swipe').focus()")
    page.press("ArrowRight")
    assert page.run(clip) != before


def test_a_chart_answers_to_the_pointer_and_to_the_keyboard(page: Browser, report: Path) -> None:
    site = areas(report, "glacier_area_by_year.csv")
    left, top, _, height = box(page, "#area-chart svg")
    page.move(left + 50, top + height / 2)
    assert text(page, "#area-chart .readout").startswith(f"2015: {site['2015']:.2f} km²")
    page.run("document.querySelector('#area-chart svg').focus()")
    page.press("ArrowRight")
    assert text(page, "#area-chart .readout").startswith(f"2016: {site['2016']:.2f} km²")
    assert text(page, "#year-text") == "2016-10-15"


def test_play_runs_through_the_years_and_stops(page: Browser) -> None:
    page.run("play.click()")
    assert text(page, "#play") == "Pause"
    assert text(page, "#year-text") == "2015-10-15"
    page.run("play.click()")
    assert text(page, "#play") == "Play"


def test_each_layer_can_be_shown_and_hidden(page: Browser) -> None:
    drawn = "document.querySelectorAll('#map .leaflet-image-layer').length"
    before = page.run(drawn)
    page.run("document.getElementById('layer-probability').click()")
    page.run("document.getElementById('layer-lost').click()")
    assert page.run(drawn) == before + 2
    page.run("document.getElementById('scene-none').click()")
    assert page.run(drawn) == before + 1
    assert page.errors() == []


def test_a_printed_page_has_no_controls(page: Browser) -> None:
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.run("[...document.querySelectorAll('.controls, button')].every(each => each.offsetHeight === 0)")


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (1400, True), (400, False)])
def test_it_is_accessible(browser: Browser, report: Path, width: int, dark: bool) -> None:
    browser.open(report / "index.html", width=width, dark=dark)
    source = lzma.decompress((FOLDER / "axe.min.js.xz").read_bytes())
    lock = json.loads((FOLDER / "lock.json").read_text(encoding="utf-8"))
    assert hashlib.sha256(source).hexdigest() == lock["axe-core"]["sha256"]["axe.min.js"]
    browser.run(source.decode("utf-8") + "; null")
    browser.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    violations: list[dict[str, Any]] = browser.run("axe.run().then(result => result.violations)")
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]][:3]) for each in violations] == []


def test_the_map_begins_on_the_first_screen_and_paper_shows_all_of_it(page: Browser) -> None:
    assert page.run("document.getElementById('map').getBoundingClientRect().top") < 900
    page.run("document.querySelector('#map .leaflet-control-zoom-in').click()")
    page.run("new Promise(done => setTimeout(done, 500))")  # until it has zoomed in
    page.run("dispatchEvent(new Event('beforeprint'))")
    frame, picture = box(page, "#map"), box(page, "#map .leaflet-image-layer")
    assert (frame[2], frame[3]) == pytest.approx((643, 567), abs=2)  # 17 by 15 cm
    assert picture[2] <= frame[2] and picture[3] <= frame[3]
    page.run("dispatchEvent(new Event('afterprint'))")
    assert box(page, "#map")[2] > 800
