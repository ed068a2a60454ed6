"""Attributes of RGI outlines."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest

from stages.ingest.vectors.outlines import clean_text, elevation_m, finite_or_none, iso_date, rgi7_columns


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("20001030", "2000-10-30"),
        ("20030799", "2003-07"),
        ("20019999", "2001"),
        ("-9999999", None),
        ("99999999", None),
        ("2001-09-08T00:00:00", "2001-09-08"),
        ("2001", "2001"),
        (20001030, "2000-10-30"),
        (float("nan"), None),
        (None, None),
        ("", None),
    ],
)
def test_dates(value: object, expected: str | None) -> None:
    assert iso_date(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Chhota Shigri Glacier                          ¾", "Chhota Shigri Glacier"),
        ("  Khumbu ", "Khumbu"),
        ("", None),
        (None, None),
        (float("nan"), None),
    ],
)
def test_names(value: object, expected: str | None) -> None:
    assert clean_text(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(5196, 5196.0), ("5196", 5196.0), (-999, None), (-9999, None), (None, None), ("x", None)]
)
def test_elevations(value: object, expected: float | None) -> None:
    assert elevation_m(value) == expected


def test_numbers_must_be_finite() -> None:
    assert finite_or_none(float("nan")) is None
    assert finite_or_none(float("inf")) is None


@pytest.mark.samples
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RGI50-14.15990", ("RGI50-14.15990", "Chhota Shigri Glacier", 16.764, "2002-08-02", 4280.0)),
        ("Hintereisferner_RGI6", ("RGI60-11.00897", "Hintereisferner", 8.036, "2003-07", 2430.0)),
    ],
)
def test_real_outlines_of_rgi5_and_rgi6(name: str, expected: tuple[object, ...], samples: Path) -> None:
    path = samples / f"rgi-dem/{name}.shp"
    columns = rgi7_columns(path, geopandas.read_file(path))
    assert tuple(columns[key][0] for key in ("rgi_id", "glac_name", "area_km2", "src_date", "zmin_m")) == expected
    assert columns["termlon"].isna().all()
