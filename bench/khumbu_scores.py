"""What the passes of `bench.khumbu` and their consensus have of ice and of seasonal snow, as tables in Markdown."""

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
    """Print both tables.

    Parameters
    ----------
    snow
        Season to (H, W) bool on the site's grid: snow or clean ice that day; in the order of the passes.
    """
    maps = site / "artifacts/predict/2024"
    consensus = read_band(maps / "mask.tif")
    seen = consensus != MASK_NODATA
    area = np.where(seen, pixel_area_km2(read_grid(maps / "mask.tif")), 0.0)
    outlines = read_band(site / "artifacts/labels/glacier_id.tif") > 0
    with rasterio.open(maps / "passes.tif") as dataset:
        ice = {season: dataset.read(number) == 1 for number, season in enumerate(snow, start=1)}
    print_ice(ice | {"**consensus**": consensus == 1}, outlines, area)
    print_snow(ice, consensus == 1, snow, ~outlines, area)
    print_spread(site)


def print_ice(maps: Mapping[str, np.ndarray], outlines: np.ndarray, area: np.ndarray) -> None:
    """Mapped ice beside the outlines, km2."""
    print(f"\nOutlines: {area[outlines].sum():.2f} km2 of {area.sum():.2f} km2\n")
    print("| map | glacier km2 | off the outlines km2 | IoU with the outlines |\n|---|---|---|---|")
    for name, ice in maps.items():
        iou = area[ice & outlines].sum() / area[ice | outlines].sum()
        print(f"| {name} | {area[ice].sum():.2f} | {area[ice & ~outlines].sum():.2f} | {iou:.3f} |")


def print_snow(
    maps: Mapping[str, np.ndarray], consensus: np.ndarray, snow: Mapping[str, np.ndarray], off: np.ndarray,
    area: np.ndarray,
) -> None:  # fmt: skip
    """Ground off the outlines that is under snow in some seasons, at most half of them, and what is mapped on it."""
    days = np.sum(list(snow.values()), axis=0)
    seasonal: np.ndarray = off & (days > 0) & (2 * days <= len(snow))
    print("\n| season | seasonal snow off the outlines km2 | mapped as glacier | in the consensus |\n|---|---|---|---|")
    for season, white in snow.items():
        here = seasonal & white
        shares = f"{_share(maps[season], here, area)} | {_share(consensus, here, area)}"
        print(f"| {season} | {area[here].sum():.2f} | {shares} |")
    bare = [(maps[season], seasonal & ~white) for season, white in snow.items()]
    false = sum(area[ice & here].sum() for ice, here in bare) / sum(area[here].sum() for _, here in bare)
    print(f"| free of snow | | {100 * false:.0f} % | |")
    print(f"| together | {area[seasonal].sum():.2f} | | {_share(consensus, seasonal, area)} |")
    tie_counts: np.ndarray = 2 * np.sum(list(maps.values()), axis=0) >= len(maps)
    print(f"\nWere a tie glacier: {_share(tie_counts, seasonal, area)} of the seasonal snow")


def _share(ice: np.ndarray, where: np.ndarray, area: np.ndarray) -> str:
    return f"{100 * area[ice & where].sum() / area[where].sum():.0f} %"


def print_spread(site: Path) -> None:
    """The year's figures as `area` gives them."""
    with (site / "artifacts/area/seasons.csv").open(encoding="utf-8", newline="") as stream:
        areas = [float(row["area_km2"]) for row in csv.DictReader(stream)]
    spread, count = float(np.std(areas, ddof=1)), len(areas)
    print(f"\n{count} passes, {min(areas):.2f} to {max(areas):.2f} km2: spread {spread:.2f} km2 (one sigma of a single")
    print(f"pass); {spread / count**0.5:.2f} km2 if their errors were independent, which those of snow are not")
