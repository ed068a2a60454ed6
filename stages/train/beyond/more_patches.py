"""Patches of other sites: of the same kind as the site's own, and of other ground."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasterio.warp import transform_bounds

from stages.common.errors import ContractError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import read_grid
from stages.common.params.learning import PinnedPatches, TrainParams
from stages.common.run.array_sizes import read_array_headers
from stages.common.run.records import read_document
from stages.common.tables.learning import MorePatches, PatchStats
from stages.train.beyond.pins import check_kinds, require_pinned
from stages.train.contract import MORE_PATCHES

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True)
class OtherSite:
    """Patches of another site."""

    years: list[Path]
    """One folder a year."""
    record: MorePatches


def read_more_patches(params: TrainParams, own: Path) -> list[OtherSite]:
    """Return the patches that `train.more_patches` names, checked; `own` is the folder of one of the site's own years.

    Raises
    ------
    ParamsError
        A folder is absent, or is not what is pinned.
    ContractError
        A file is damaged, the patches are of another kind than the site's own, or show the same ground.
    """
    return [_read(number, pin, own) for number, pin in enumerate(params.more_patches)]


def _read(number: int, pin: PinnedPatches, own: Path) -> OtherSite:
    folder = require_pinned(pin, name=f"train.more_patches[{number}]")
    years = sorted(path.parent for path in folder.glob("*/stats.json")) or [folder]
    for year in years:
        check_kinds(year, MORE_PATCHES)
        require_same_kind(year, own)
        if not pin.may_overlap:
            _require_other_ground(year, own)
    stats = [read_document(year / "stats.json", PatchStats) for year in years]
    record = MorePatches(
        md5=pin.md5,
        years=[year_stats.year for year_stats in stats],
        training_patches=sum(year_stats.training_patches for year_stats in stats),
    )
    return OtherSite(years, record)


def require_same_kind(folder: Path, own: Path) -> None:
    """Refuse a year of patches that differs from the site's own in bands, scale, pixels or size.

    Raises
    ------
    ContractError
        It does; the message names all that differs, and nothing else.
    """
    kind, own_kind = kind_of(folder), kind_of(own)
    if different := [name for name in own_kind if own_kind[name] != kind[name]]:
        raise ContractError(
            f"patches of another site differ from the site's own: {', '.join(different)}",
            where=folder,
            expected=_in_words(own_kind, different),
            found=_in_words(kind, different),
            fix="run that site with the same prepare.bands, prepare.storage, grid.pixel_size_m, patches.size_px and "
            "patches.margin_px, or leave it out of train.more_patches",
        )


def kind_of(folder: Path) -> dict[str, Any]:
    """Return what patches must agree in to be learned together."""
    stats = read_document(folder / "stats.json", PatchStats)
    shape, dtype = read_array_headers(folder / "train.npz")["image"]
    return {
        "bands": ", ".join(stats.bands),
        "scale": stats.scale,
        "offset": stats.offset,
        "type of pixels": dtype,
        "pixel size (m)": read_grid(folder / "split.tif").pixel_size_m,
        "side with margin (px)": shape[1],
    }


def _in_words(kind: Mapping[str, Any], names: Sequence[str]) -> str:
    return "; ".join(f"{name} {kind[name]}" for name in names)


def _require_other_ground(folder: Path, own: Path) -> None:
    """Refuse patches of the ground that the site holds out: its scores would not be held-out any more."""
    other_grid, own_grid = read_grid(folder / "split.tif"), read_grid(own / "split.tif")
    if overlap(other_grid, own_grid):
        raise ContractError(
            "patches of another site show ground of this site, also such that it holds out", where=folder,
            expected="grids that do not overlap", found=f"{other_grid}; this site: {own_grid}",
            fix="leave it out of train.more_patches, or move the AOI of one of the two; of simulated sites, which have "
            "other ground at one place, set `may_overlap: true`",
        )  # fmt: skip


def overlap(first: Grid, second: Grid) -> bool:
    """Whether two grids, in any CRS, have ground in common; beyond one CRS by their boxes of longitude and latitude."""
    if first.crs == second.crs:
        return _boxes_meet(first.bounds, second.bounds)
    boxes = [_unrolled(transform_bounds(grid.crs, "EPSG:4326", *grid.bounds)) for grid in (first, second)]
    west, south, east, north = boxes[0]
    return any(_boxes_meet((west + turn, south, east + turn, north), boxes[1]) for turn in (-360, 0, 360))


def _unrolled(box: Bounds) -> Bounds:
    """Return a box of longitude and latitude whose east is above its west, also across the antimeridian."""
    west, south, east, north = box
    return west, south, east + 360 * (east < west), north


def _boxes_meet(first: Bounds, second: Bounds) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]
