"""Ice and seasonal snow in the passes of `bench.khumbu` and in their consensus, as tables in Markdown."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio

from stages.common.geo.grid import pixel_area_km2
from stages.common.geo.raster import read_band, read_grid
from stages.common.tables.kinds import MASK_NODATA


def print_tables(site: Path, snow: Mapping[str, np.ndarray]) -> None:
    """Print the tables of ice and of snow, and how far the passes differ.

    Parameters
    ----------
    snow
        Snow or clean ice of each season, (H, W) bool on the site's grid, in the order of the passes.
    """
    maps = site / "artifacts/predict/2024"
    consensus = read_band(maps / "mask.tif")
    area = np.where(consensus != MASK_NODATA, pixel_area_km2(read_grid(maps / "mask.tif")), 0.0)
    outlines = read_band(site / "artifacts/labels/glacier_id.tif") > 0
    with rasterio.open(maps / "passes.tif") as dataset:
        ice = {season: dataset.read(number) == 1 for number, season in enumerate(snow, start=1)}
    print_ice(ice | {"**consensus**": consensus == 1}, outlines, area)
    print_snow(ice, consensus == 1, snow, ~outlines, area)
    print_pass_areas(site)


def print_ice(maps: Mapping[str, np.ndarray], outlines: np.ndarray, area: np.ndarray) -> None:
    """Print the mapped ice beside that of the outlines; `area` is (H, W), km2 per pixel, 0 where unseen."""
    print(f"\nOutlines: {area[outlines].sum():.2f} km² of {area.sum():.2f} km²\n")
    print("| map | glacier km² | off the outlines km² | IoU with the outlines |\n|---|---|---|---|")
    for name, ice in maps.items():
        iou = area[ice & outlines].sum() / area[ice | outlines].sum()
        print(f"| {name} | {area[ice].sum():.2f} | {area[ice & ~outlines].sum():.2f} | {iou:.3f} |")


def print_snow(
    maps: Mapping[str, np.ndarray], consensus: np.ndarray, snow: Mapping[str, np.ndarray], off: np.ndarray,
    area: np.ndarray,
) -> None:  # fmt: skip
    """Print how much seasonal snow is mapped as glacier, off the outlines.

    Seasonal snow lies in at least one season and in at most half of them.
    """
    days = np.sum(list(snow.values()), axis=0)
    seasonal: np.ndarray = off & (days > 0) & (2 * days <= len(snow))
    print("\n| season | seasonal snow off the outlines km² | mapped as glacier | in the consensus |\n|---|---|---|---|")
    for season, white in snow.items():
        snowy = seasonal & white
        shares = f"{_share(maps[season], snowy, area)} | {_share(consensus, snowy, area)}"
        print(f"| {season} | {area[snowy].sum():.2f} | {shares} |")
    snow_free = [(maps[season], seasonal & ~white) for season, white in snow.items()]
    false_km2 = sum(area[ice & ground].sum() for ice, ground in snow_free)
    print(f"| free of snow | | {100 * false_km2 / sum(area[ground].sum() for _, ground in snow_free):.0f} % | |")
    print(f"| together | {area[seasonal].sum():.2f} | | {_share(consensus, seasonal, area)} |")
    tie_counts: np.ndarray = 2 * np.sum(list(maps.values()), axis=0) >= len(maps)
    print(f"\nIf a tie counted as glacier: {_share(tie_counts, seasonal, area)} of the seasonal snow")


def _share(ice: np.ndarray, where: np.ndarray, area: np.ndarray) -> str:
    return f"{100 * area[ice & where].sum() / area[where].sum():.0f} %"


def print_pass_areas(site: Path) -> None:
    """Print the areas of the passes as `area` measured them, and their standard deviation."""
    with (site / "artifacts/area/seasons.csv").open(encoding="utf-8", newline="") as stream:
        areas = [float(row["area_km2"]) for row in csv.DictReader(stream)]
    sigma_km2, count = float(np.std(areas, ddof=1)), len(areas)
    print(f"\n{count} passes, {min(areas):.2f} to {max(areas):.2f} km²; standard deviation of a single pass:")
    print(f"{sigma_km2:.2f} km²; of their mean {sigma_km2 / count**0.5:.2f} km² if the passes erred independently, but")
    print("snow makes all of them err alike")
