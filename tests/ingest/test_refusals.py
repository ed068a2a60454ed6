"""What `ingest` refuses: exit code 2, a message that says the fix, and ``data/`` as it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from affine import Affine

from sandbox import tiny
from stages.ingest.ingest import main
from tests.ingest import spoil
from tests.ingest.spoil import Spoiler

DARK = np.full((3, 160, 160), 7, "uint8")

CASES: list[tuple[str, Spoiler, str]] = [
    ("lfs-pointer", spoil.file("2020.tif", spoil.LFS), "a Git LFS pointer stands in place of the raster"),
    ("truncated", spoil.truncated, "the raster is truncated or damaged"),
    ("not-a-raster", spoil.file("2020.tif", b"II*\0garbage"), "the file is not readable as a raster"),
    ("empty-file", spoil.file("2020.tif", b""), "the file is not readable as a raster"),
    ("absent-file", spoil.file("2020.tif", None), "the raster is absent"),
    ("no-crs", spoil.rewrite(crs=None), "the raster has no CRS"),
    ("rotated", spoil.rewrite(transform=spoil.ROTATED), "the raster is not on a north-up grid"),
    ("south-up", spoil.rewrite(transform=spoil.SOUTH_UP), "the raster is not on a north-up grid"),
    ("not-placed", spoil.rewrite(transform=Affine.identity()), "the raster is not on a north-up grid"),
    ("own-mask", spoil.rewrite(mask=np.eye(160, dtype="uint8") * 255), "marks valid pixels in a mask"),
    ("band-count", spoil.scene(bands=["red", "green", "blue", "nir"]), "number of bands is not that of params.yaml"),
    ("band-order", spoil.described(["blue", "green", "red"]), "the same bands in another order"),
    ("band-order-by-number", spoil.both(spoil.described(["B4", "B3", "B2"]), spoil.bands(["B02", "B03", "B04"])),
     "the same bands in another order"),
    ("band-order-beside-others", spoil.both(spoil.described(["red", "blue", "QA"]), spoil.bands(["B02", "B04", "x"])),
     "the same bands in another order"),
    ("black-in-every-band", spoil.both(spoil.reflectance(black=20), spoil.bands(["B02", "B03", "B04"])),
     "3200 of 25600 px over the AOI (12 %)"),
    ("band-doubled", spoil.scene(bands=["red", "green", "red"]), "a band is named twice"),
    ("band-missing", spoil.scene(bands=["red", "green", "nir"]), "a scene lacks a band"),
    ("band-unfit-name", spoil.scene(bands=["red", "green", "../x"]), "a band's name cannot be used"),
    ("band-called-mask", spoil.scene(bands=["red", "green", "cloud_mask"]), "a band's name cannot be used"),
    ("nodata-unfit", spoil.scene(nodata=-9999), "nodata is a value that the raster cannot hold"),
    ("all-nan", spoil.rewrite(spoil.NAN), "no data over the AOI"),
    ("all-nodata", spoil.both(spoil.rewrite(DARK), spoil.scene(nodata=7)), "no data over the AOI"),
    ("listed-twice", spoil.both(spoil.second_tile(), lambda s, p: p["ingest"]["raster"]["scenes"][0].update(
        path="source/tile.tif")), "a raster is listed twice"),
    ("real-called-simulated", spoil.setting(True, "site", "simulated"), "site.simulated does not agree"),
    ("twin-called-real", spoil.setting("twin", "ingest", "source"), "site.simulated does not agree"),
    ("year-without-scene", spoil.setting([2020, 2021, 2022], "years"), "a declared year has no scene"),
    ("scene-without-year", spoil.setting([2020], "years"), "a scene is of an undeclared year"),
    ("unquoted-date", spoil.scene(date=__import__("datetime").date(2020, 10, 15)), "put the date in quotes"),
    ("aoi-elsewhere", spoil.setting({"bounds": [83, 28, 83.1, 28.1]}, "ingest", "aoi"), "no outline touches the AOI"),
    ("aoi-far-away", spoil.setting({"bounds": [10, 46, 11, 47]}, "ingest", "aoi"), "another part of the Earth"),
    ("aoi-beside-scene", spoil.both(spoil.setting(
        [tiny.LEFT + 80_000, tiny.TOP - 99_000, tiny.LEFT + 99_000, tiny.TOP - 80_000], "ingest", "aoi", "bounds"),
        spoil.outlines([spoil.FAR])), "the AOI lies outside the raster"),
    ("aoi-in-no-degrees", spoil.setting("EPSG:4326", "ingest", "aoi", "crs"), "the AOI lies nowhere on Earth"),
    ("aoi-unknown-crs", spoil.setting("EPSG:99999", "ingest", "aoi", "crs"), "the CRS is unknown"),
    ("aoi-file-absent", spoil.setting({"path": "source/none.gpkg"}, "ingest", "aoi"), "the vector file is absent"),
    ("aoi-no-crs", spoil.aoi_file(tiny.outlines(), crs=None), "the vector file has no CRS"),
    ("aoi-line", spoil.aoi_file([spoil.LINE]), "are not polygons"),
    ("outlines-lfs", spoil.file("outlines.gpkg", spoil.LFS), "a Git LFS pointer stands in place of the vector file"),
    ("outlines-absent", spoil.file("outlines.gpkg", None), "the vector file is absent"),
    ("outlines-garbage", spoil.file("outlines.gpkg", b"SQLite format 3\0 no"), "the vector file is not readable"),
    ("outlines-latin-1", spoil.latin_1_outlines, "the vector file is not readable"),
    ("outlines-layer", spoil.setting("none", "ingest", "outlines", "layer"), "the vector file is not readable"),
    ("outlines-empty", spoil.empty_outlines, "the vector file is empty"),
    ("outlines-no-crs", spoil.outlines(crs=None), "the vector file has no CRS"),
    ("outlines-no-id", spoil.outlines(columns={"name": ["a", "b"]}), "the outlines have no id column"),
    ("outlines-null-id", spoil.outlines(columns={"RGIId": ["a", None]}), "an outline has no id"),
    ("outlines-same-id", spoil.outlines(columns={"rgi_id": ["a", "a"]}), "outline ids are not unique"),
    ("outlines-line", spoil.outlines([spoil.LINE]), "are not polygons"),
    ("outlines-point", spoil.outlines([*tiny.outlines(), spoil.POINT]), "1 feature(s) are not polygons"),
    ("outlines-under-two-ids", spoil.outlines([*tiny.outlines(), tiny.outlines()[0]]), "an outline lies under others"),
    ("outlines-under-neighbours", spoil.outlines(spoil.DRAWN_OVER), "it under RGI60-15.00001, RGI60-15.00002"),
    ("outlines-bow-tie", spoil.outlines([spoil.BOW_TIE]), "mending it would change its area"),
    ("outlines-elsewhere", spoil.outlines([spoil.FAR]), "no outline touches the AOI"),
    ("outlines-beside-scenes", spoil.outlines_beside_the_scenes, "no outline lies within a scene"),
    ("grid-degrees", spoil.setting("EPSG:4326", "grid", "crs"), "the grid's CRS is in degrees"),
    ("grid-mercator", spoil.setting("EPSG:3857", "grid", "crs"), "web Mercator"),
    ("grid-feet", spoil.setting("EPSG:2263", "grid", "crs"), "not in metres"),
    ("grid-pixel-size", spoil.setting(1e-3, "grid", "pixel_size_m"), "the AOI does not fit the grid"),
    ("grid-unknown", spoil.setting("EPSG:1", "grid", "crs"), "the CRS is unknown"),
    ("overlap-differs", spoil.second_tile(shift_px=100), "two scenes of one year overlap wrongly"),
    ("overlap-two-days", spoil.second_tile(shift_px=0, date="2020-10-16"), "two scenes of one year overlap wrongly"),
    ("tile-dtype", spoil.second_tile(shift_px=160, pixels=tiny.scene(2020).astype("uint16")), "stored differently"),
    ("tile-scale", spoil.second_tile(shift_px=160, scale=1e-4), "stored differently"),
    ("tile-offset", spoil.second_tile(shift_px=160, offset=-0.1), "stored differently"),
    ("tile-level", spoil.second_tile(shift_px=160, processing_level="L2A"), "stored differently"),
    ("levels-mixed", spoil.levels("L1C", "L2A"), "different processing levels"),
    ("cloud-no-crs", spoil.cloud_mask(crs=None), "the raster has no CRS"),
    ("cloud-elsewhere", spoil.cloud_mask(left=tiny.LEFT + 90_000), "the AOI lies outside the raster"),
    ("cloud-is-fmask", spoil.quality(0, 1, 2, 3, 4), "the cloud mask has more than two values"),
    ("cloud-is-qa-pixel", spoil.quality(21824, 30048, 22280, dtype="uint16"), "more than two values"),
    ("cloud-turned-round", spoil.quality(1, 1, 1, 0), "the cloud masks of 2020 hide the glaciers"),
    ("cloud-absent", spoil.scene(cloud_mask="source/none.tif"), "the raster is absent"),
    ("dem-voids", spoil.dem(-9999), "elevations that are none on Earth"),
    ("dem-voids-of-another-kind", spoil.dem(65535), "gdal_edit.py -a_nodata 65535"),
    ("aoi-across-the-180th-meridian", spoil.setting(
        {"bounds": [340000, 7000000, 360000, 7010000], "crs": "EPSG:32601"}, "ingest", "aoi"), "crosses the 180th"),
    ("aoi-beside-the-180th-meridian", spoil.both(
        spoil.setting({"bounds": [179.935, 64.985, 179.9995, 65.015], "crs": "EPSG:4326"}, "ingest", "aoi"),
        spoil.setting("EPSG:32660", "grid", "crs")), "ends at least 1439 m before the meridian"),
    ("dem-absent", spoil.setting({"dem": "none.tif"}, "ingest", "auxiliary"), "the raster is absent"),
    ("debris-absent", spoil.setting({"debris": {"path": "none.gpkg"}}, "ingest", "auxiliary"), "file is absent"),
    ("flow-lines-absent", spoil.flow_lines(None), "file is absent"),
    ("flow-lines-polygons", spoil.flow_lines(tiny.outlines()), "2 feature(s) are not single lines"),
    ("flow-lines-gap", spoil.flow_lines([spoil.GAP]), "1 feature(s) are not single lines"),
    ("flow-lines-same-id", spoil.flow_lines([spoil.LINE, spoil.LINE], ids=["a", "a"]), "ids are not unique"),
    ("variable-unset", spoil.scene(path="${NO_SUCH_FOLDER}/2020.tif"), "variable NO_SUCH_FOLDER is not set"),
]  # fmt: skip


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def refused(site: Path, message: str, capfd: pytest.CaptureFixture[str]) -> str:
    """Run `ingest`, which must say `message` with exit code 2 and leave the data alone; what it said."""
    before, pin = snapshot(site / "data"), (site / "data.dvc").read_bytes()

    code = main([])

    error_text = capfd.readouterr().err
    assert message in error_text
    assert code == 2
    for part in ("where:", "found:", "fix:"):
        assert part in error_text
    assert snapshot(site / "data") == before
    assert (site / "data.dvc").read_bytes() == pin
    return error_text


@pytest.mark.parametrize(("spoiler", "message"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_what_is_wrong_is_refused_and_data_stays(
    spoiler: Spoiler, message: str, site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    params = yaml.safe_load((site / "params.yaml").read_text())
    spoiler(site, params)
    tiny.write_params(site, params)
    error_text = refused(site, message, capfd)
    assert "expected:" in error_text or "break the schema" in error_text or "is absent" in error_text
    assert not list((site / "artifacts/.tmp").iterdir())


def test_how_many_pixels_overlap_wrongly_is_said(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    params = yaml.safe_load((site / "params.yaml").read_text())
    spoil.second_tile(shift_px=100)(site, params)
    tiny.write_params(site, params)

    assert main([]) == 2

    # 60 of the 160 columns are shared, over all 160 rows.
    assert "9600 px are valid in both, 9" in capfd.readouterr().err
