"""What is read from the items of each catalogue; the real ones, where the samples are."""

from __future__ import annotations

import datetime as dt
import json
import math
import time
from pathlib import Path
from typing import Any

import pytest

from stages.common.errors import InputError
from stages.common.scene.harmonise import carries_offset
from stages.common.settings import S3_SECRET_KEY, without_secrets
from stages.ingest.sources.stac.items import parse_item, parse_items
from stages.ingest.sources.stac.profiles import PROFILES
from stages.ingest.sources.stac.signing import without_query

CDSE = PROFILES["copernicus-dataspace"]


def cdse_item(**properties: Any) -> dict[str, Any]:
    """An item as the Copernicus Data Space gives it."""
    name = "S2A_MSIL2A_20161010T052702_N0500_R105_T44RLV_20231022T013345"
    root = f"s3://eodata/Sentinel-2/MSI/L2A_N0500/2016/10/10/{name}.SAFE/GRANULE/L2A_T44RLV_A006801_20161010T053440/IMG_DATA"
    keys = ("B02_10m", "B03_10m", "B04_10m", "B08_10m", "B11_20m", "B12_20m", "SCL_20m")
    return {
        "type": "Feature", "id": name, "collection": "sentinel-2-l2a",
        "properties": {
            "datetime": "2016-10-10T05:27:02.025Z", "platform": "sentinel-2a", "processing:level": "L2",
            "processing:version": "05.00", "sat:relative_orbit": 105, "grid:code": "MGRS-44RLV",
            "product:type": "S2MSI2A", "view:sun_elevation": 50.1, "view:sun_azimuth": 163.2,
            "eopf:datatake_id": "GS2A_20161010T052702_006801_N05.00",
        } | properties,
        "assets": {key: {"href": f"{root}/R{key[-3:]}/T44RLV_20161010T052702_{key}.jp2"} for key in keys},
    }  # fmt: skip


def test_an_item_of_the_data_space_of_2016_carries_the_offset_by_its_baseline() -> None:
    item = parse_item(cdse_item(), CDSE, ["B02", "B11", "scl"])
    info = item.info
    assert item.unfit is None
    assert (info.year, info.processing_baseline, info.relative_orbit, info.tile) == (2016, "05.00", 105, "44RLV")
    assert (info.processing_level, info.convention, info.sun_elevation_deg) == ("L2A", "by-baseline", 50.1)
    assert carries_offset(info)
    assert item.hrefs["B11"].endswith("R20m/T44RLV_20161010T052702_B11_20m.jp2")


@pytest.mark.parametrize("stated", [None, "", "not known", 5])
def test_where_the_baseline_is_not_stated_the_name_has_it(stated: object) -> None:
    assert parse_item(cdse_item(**{"processing:version": stated}), CDSE, []).info.processing_baseline == "05.00"


def test_an_item_without_a_file_or_a_baseline_is_unfit_and_says_so() -> None:
    assert parse_item(cdse_item(), CDSE, ["B02", "B8A"]).unfit == "the item has no file of B8A"
    nameless = cdse_item(**{"processing:version": None}) | {"id": "scene-1"}
    assert parse_item(nameless, CDSE, []).unfit == "its processing baseline is not known, and with it its offset"
    flagless = parse_item(cdse_item(**{"s2:processing_baseline": "05.00"}), PROFILES["earth-search"], [])
    assert str(flagless.unfit).startswith("earthsearch:boa_offset_applied is absent")


def test_files_on_this_machine_are_not_read() -> None:
    item = cdse_item()
    item["assets"]["B02_10m"]["href"] = "/etc/passwd"
    assert parse_item(item, CDSE, ["B02"]).unfit == "the item has no file of B02"


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_time_that_no_calendar_has_in_utc_is_no_item(text: str) -> None:
    with pytest.raises(InputError, match="an item of the catalogue"):
        parse_item(cdse_item(datetime=text), CDSE, [])


@pytest.mark.parametrize("name", ["sat:relative_orbit", "view:sun_elevation"])
def test_an_infinite_number_is_no_item(name: str) -> None:
    """Python's JSON takes Infinity and NaN."""
    for number in (math.inf, math.nan):
        with pytest.raises(InputError, match="cannot be read"):
            parse_item(cdse_item(**{name: number}), CDSE, [])


@pytest.mark.parametrize("text", [None, "", "in autumn"])
def test_an_item_without_a_time_is_refused(text: str | None) -> None:
    with pytest.raises(InputError, match="has no time"):
        parse_item(cdse_item(datetime=text), CDSE, [])


def test_one_item_that_cannot_be_read_does_not_end_the_run(caplog: pytest.LogCaptureFixture) -> None:
    timeless, orbitless = cdse_item(datetime=None), cdse_item(**{"sat:relative_orbit": "x"})
    items = parse_items([timeless | {"id": "timeless"}, cdse_item(), orbitless | {"id": "orbitless"}], CDSE, ["B02"])
    assert [item.info.relative_orbit for item in items] == [105]
    assert "timeless: an item of the catalogue has no time (None); it is left out" in caplog.text
    assert "orbitless: an item of the catalogue cannot be read" in caplog.text
    with pytest.raises(InputError, match="has no time"):
        parse_items([timeless], CDSE, ["B02"])


def test_an_item_with_a_span_of_time_has_its_beginning() -> None:
    """STAC permits a datetime of null where both ends are given."""
    item = parse_item(cdse_item(datetime=None, start_datetime="2016-10-10T05:27:02Z"), CDSE, [])
    assert item.info.acquired == dt.datetime(2016, 10, 10, 5, 27, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("profile", "fit"), [("copernicus-dataspace", False), ("planetary-computer", False), ("earth-search-c1", True)]
)
def test_the_baseline_of_a_product_made_locally_is_not_harmonised(profile: str, fit: bool) -> None:
    stated = {"processing:version": "99.99", "s2:processing_baseline": "99.99"}
    item = parse_item(cdse_item(**stated), PROFILES[profile], [])
    assert (item.unfit is None) == fit
    assert fit or "made locally, and says nothing about its offset" in str(item.unfit)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_a_time_without_a_zone_is_utc_on_every_computer(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        acquired = parse_item(cdse_item(datetime="2016-10-10T23:27:02"), CDSE, []).info.acquired
    finally:
        monkeypatch.undo()
        time.tzset()
    assert acquired == dt.datetime(2016, 10, 10, 23, 27, 2, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"properties": ["a"]}, id="properties are a list"),
        pytest.param({"assets": "none"}, id="assets are a text"),
        pytest.param({"id": None, "properties": None}, id="nothing in it"),
        pytest.param({"properties": {"datetime": "2016-10-10T05:27:02Z", "sat:relative_orbit": "x"}}, id="orbit"),
    ],
)
def test_what_is_not_an_item_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        parse_item(cdse_item() | changes, CDSE, [])


@pytest.mark.parametrize(("name", "expected"), [("../a b/c", "a-b-c"), ("..", "scene"), (".hidden", "hidden")])
def test_an_id_can_be_a_folder(name: str, expected: str) -> None:
    assert parse_item(cdse_item() | {"id": name}, CDSE, []).info.id == expected


def test_secrets_do_not_stand_in_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(S3_SECRET_KEY, "s3cr3t")
    text = without_secrets("GET https://x.y/a.tif?st=2026&sig=abc%3D failed (s3cr3t), why?")
    assert text == "GET https://x.y/a.tif?… failed (…), why?"
    assert without_query("https://x.y/a.tif?sig=abc") == "https://x.y/a.tif"


def real(samples: Path, name: str) -> dict[str, Any]:
    return dict(json.loads((samples / name).read_text()))


def test_a_real_item_of_earth_search_is_not_subtracted_twice(samples: Path) -> None:
    """The flag says that the offset is out of the pixels, raster:bands still states it: the trap."""
    item = real(samples, "stac-items/earth-search-v1_S2A_39QTA_20230628_0_L2A.json")
    assert item["assets"]["red"]["raster:bands"][0]["offset"] == -0.1
    info = parse_item(item, PROFILES["earth-search"], ["B04", "B11", "scl"]).info
    assert (info.processing_baseline, info.boa_offset_applied) == ("05.09", True)
    assert (info.relative_orbit, info.tile) == (106, "39QTA")  # the orbit stands in the product's name alone
    assert not carries_offset(info)


def test_a_real_item_of_earth_search_before_the_offset(samples: Path) -> None:
    item = parse_item(real(samples, "cog-l2a/S2A_29RKH_20200219_0_L2A.json"), PROFILES["earth-search"], ["B02", "scl"])
    assert item.unfit is None
    assert (item.info.processing_baseline, item.info.relative_orbit, item.info.tile) == ("02.14", 37, "29RKH")
    assert not carries_offset(item.info)


def test_a_real_item_of_the_planetary_computer(samples: Path) -> None:
    name = "stac-items/S2B_MSIL2A_20190629T212529_R043_T06VVN_20201006T080531.json"
    item = parse_item(
        real(samples, name), PROFILES["planetary-computer"], ["B02", "B03", "B04", "B08", "B11", "B12", "scl"]
    )
    info = item.info
    assert item.unfit is None
    assert (info.processing_baseline, info.relative_orbit, info.tile) == ("02.12", 43, "06VVN")
    assert info.sun_elevation_deg == pytest.approx(90 - 37.9128805424161)
    assert info.product == "S2B_MSIL2A_20190629T212529_N0212_R043_T06VVN_20201006T080531.SAFE"
    assert not carries_offset(info)


def test_items_of_real_products_give_what_the_products_say(samples: Path) -> None:
    """Items of the sentinel2 stactools package, which Earth Search builds upon."""
    paths = sorted((samples / "safe-metadata").glob("*.SAFE/expected_output.json"))
    assert len(paths) >= 9
    for path in paths:
        item = json.loads(path.read_text())
        info = parse_item(item, PROFILES["earth-search-c1"], []).info
        assert info.processing_baseline == item["properties"]["s2:processing_baseline"]
        assert info.relative_orbit == item["properties"]["sat:relative_orbit"]
        assert f"MGRS-{info.tile}" == item["properties"]["grid:code"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("https://anna:geheim@stac.example.org/v1", "https://***@stac.example.org/v1"),
        ("mysql+pymysql://u:geheim@w@host/db", "mysql+pymysql://***@host/db"),
        ("postgresql://u:ge/heim@host/db", "postgresql://***@host/db"),
        ("https://stac.example.org/v1/a@b", "https://stac.example.org/v1/a@b"),
    ],
)
def test_user_and_password_of_an_address_are_not_shown(address: str, public: str) -> None:
    assert without_secrets(f"at {address} there is nothing") == f"at {public} there is nothing"
