"""A comparison of two versions of an invented site: B maps the left end of the ice of the last year as ground."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np

from stages.common.geo.raster import read_band, write_cog
from stages.common.params.schema import load_params
from stages.common.tables.kinds import MASK_NODATA
from tests.report import report_inputs
from versions.compare import difference, map_data
from versions.compare.compare import draw_pictures, write_comparison
from versions.compare.judge import judge_blocks
from versions.compare.mapping import MappedVersion
from versions.compare.tables import MetricDifference, Side, VersionComparison

YEARS = (2022, 2023, 2024)
LOST_COLUMNS = 30
LESS_KM2 = 1.25
LARGEST = "RGI60-15.00001"


def make_comparison(folder: Path) -> Path:
    """Write compare.html and its pictures; return the folder that holds them."""
    site = report_inputs.make_artifacts(folder / "site", YEARS, storage="sentinel2")
    params = load_params(site / "params.yaml")
    both = mapped(site), mapped(_other(site, folder / "b"))
    maps = [difference.difference_classes(*both, year) for year in YEARS]
    everywhere = np.ones(maps[0].shape, dtype=bool)
    areas = difference.year_differences(*both, maps, everywhere, np.full(maps[0].shape, report_inputs.KM2))
    a, b = (
        Side(
            name=name,
            kind="test",
            commit=None,
            model_md5=name * 16,
            bands=["B04"],
            maps="made up",
            notes=[],
            product=product,
        )
        for name, product in (("<a>", "outlines"), ("poor", "image"))
    )
    comparison = VersionComparison(
        site="tiny", title="Two <versions>", simulated=True, years=list(YEARS), year_tested=2024, a=a, b=b,
        same_model=False, params=[], metrics=[MetricDifference(name="train/val_iou", a=0.9, b=0.4, difference=-0.5)],
        product="image", areas=areas, glaciers=difference.glacier_differences(*both), blocks=[],
        judgement=judge_blocks([]), mean_dispute_fraction=difference.dispute_fraction(areas),
    )  # fmt: skip
    drawn = draw_pictures(comparison, maps, maps[0] == difference.BOTH, report_inputs.GRID)
    with contextlib.chdir(folder):
        write_comparison(Path("compare/a--b"), comparison, drawn, map_data.map_document(site, params, both, maps))
    return folder / "compare/a--b"


def mapped(folder: Path) -> MappedVersion:
    """A version whose maps and areas are the artifacts of a site's folder."""
    return MappedVersion(folder=folder, areas=folder / "artifacts/area", bands=["B04"], origin="made up")


def _other(site: Path, folder: Path) -> Path:
    """Copy a site, take the left columns of the ice of the last year away, and `LESS_KM2` from its area."""
    shutil.copytree(site, folder)
    path = folder / f"artifacts/predict/{YEARS[-1]}/mask.tif"
    mask = read_band(path)
    mask[:, :LOST_COLUMNS] = 0
    path.unlink()
    write_cog(path, mask, report_inputs.GRID, nodata=MASK_NODATA)
    document = folder / "artifacts/area/series.json"
    series = json.loads(document.read_text("utf-8"))
    for row in series["years"]:
        if row["year"] == YEARS[-1]:
            for name in ("glacier_area_km2", "area_low_km2", "area_high_km2", "area_low95_km2", "area_high95_km2"):
                row[name] -= LESS_KM2
    for row in series["glaciers"]:
        if row["rgi_id"] == LARGEST and row["year"] == YEARS[-1]:
            row["area_km2"] -= LESS_KM2
    document.write_text(json.dumps(series), encoding="utf-8")
    return folder
