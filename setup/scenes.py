"""What the user's GeoTIFFs say about themselves, and what can be derived where they say nothing."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.errors import RasterioIOError
from rasterio.io import DatasetReader

from setup import names
from setup.arguments import FIRST_YEAR, LAST_YEAR, Arguments, wrong
from setup.lines import Line
from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import grid_of
from stages.common.scene.scene import CLOUD_MASK, SCL
from stages.common.types import AnyArray
from stages.ingest.counting import counted
from stages.ingest.input_files import damaged_raster, open_georeferenced
from stages.ingest.sources.band_names import NAME, canonical, is_canonical

COLOURS = ("red", "green", "blue")
LOOK_PX = 512
"""Side of the coarse copy in which pixels are looked at."""

REFLECTANCE_MAX = 2.0
"""Beyond any reflectance: floating-point pixels above it hold something else."""

COUNTS = {
    "L2SP": (2.75e-5, -0.2, "Landsat Collection 2, level 2: reflectance = DN x 0.0000275 - 0.2"),
    "L1TP": (2e-5, -0.1, "Landsat, level 1: reflectance = DN x 0.00002 - 0.1, before the sun's elevation"),
    "HLS": (1e-4, 0.0, "HLS: reflectance = DN x 0.0001"),
}
"""Scale and offset of integer pixels by level, and the words for it."""

OFFSET_SINCE = "04.00"
"""First processing baseline of Sentinel-2 whose DN have an offset of 1000."""


@dataclass(frozen=True, kw_only=True)
class SceneFile:
    """One GeoTIFF."""

    path: Path
    grid: Grid
    """In the file's own CRS, which may be in degrees."""
    day: dt.date | None
    year: int | None
    """The year, where the day is not known."""
    bands: tuple[str, ...]
    bands_why: str
    eight_bit_colour: bool
    level: str | None
    baseline: str | None
    calibration: dict[str, Line]
    """`scale`, `offset` and `nodata` as far as they have to be stated."""


def read_scenes(arguments: Arguments) -> list[SceneFile]:
    """Return what each scene says.

    Raises
    ------
    InputError, ParamsError
        A file cannot be read, its day or its bands are nowhere stated, or its pixels are no reflectance.
    """
    days: Sequence[dt.date | None] = arguments.dates or [None] * len(arguments.scenes)
    return [_read_scene(path, day, arguments.bands) for path, day in zip(arguments.scenes, days, strict=True)]


def _read_scene(path: Path, day: dt.date | None, listed: Sequence[str]) -> SceneFile:
    with open_georeferenced(path) as dataset:
        tagged = next(
            (dataset.tags()[tag][:10] for tag in ("ACQUISITION_DATE", "DATE_ACQUIRED") if tag in dataset.tags()), ""
        )
        day = day or names.day_in(path.stem) or names.day_in(tagged)
        year = None if day else names.year_in(path.stem)
        if day is None and year is None:
            raise wrong(
                "DATES", "a day or a year in the file's name, or DATES", f"{path.name}, which states none",
                fix='add DATES="2020-10-06 ...", a day for each scene in their order',
            )  # fmt: skip
        if not FIRST_YEAR <= (taken := day.year if day else int(year or 0)) <= LAST_YEAR:
            raise wrong("DATES", f"days of {FIRST_YEAR} to {LAST_YEAR}", f"{path.name} of {taken}", fix="correct DATES")
        bands, why = _bands(path, dataset, listed)
        pixels = _coarse_copy(path, dataset)
        colour = set(dataset.dtypes) == {"uint8"} and dataset.count == len(COLOURS)
        level, baseline = names.level_in(path.stem), names.baseline_in(path.stem)
        return SceneFile(
            path=path,
            grid=grid_of(dataset),
            day=day,
            year=year,
            bands=bands,
            bands_why=why,
            eight_bit_colour=colour,
            level=level,
            baseline=baseline,
            calibration={} if colour else _calibration(path, dataset, pixels, level, baseline),
        )


def _bands(path: Path, dataset: DatasetReader, listed: Sequence[str]) -> tuple[tuple[str, ...], str]:
    described = [(text or "").strip() for text in dataset.descriptions]
    if listed:
        if len(listed) != dataset.count:
            raise wrong(
                "BANDS", f"{counted(dataset.count, 'name')}, as many as {path.name} has bands", " ".join(listed),
                fix="name every band in the order of the file; one that is not needed too, such as thermal",
            )  # fmt: skip
        _check_names(path, listed)
        return tuple(listed), "BANDS"
    if all(NAME.fullmatch(name) for name in described):
        canonical_names = [canonical(name) for name in described]
        chosen = [new if is_canonical(new) else old for new, old in zip(canonical_names, described, strict=True)]
        _check_names(path, chosen)
        return tuple(chosen), "as the file describes its bands"
    if dataset.count == len(COLOURS) and set(dataset.dtypes) == {"uint8"}:
        return COLOURS, "three bands of 8 bits without names: natural colour; if not, state BANDS"
    raise wrong(
        "BANDS", f"{counted(dataset.count, 'name')} of bands, in the file or in BANDS", f"{path.name} without names",
        fix='add BANDS="B02 B03 B04 ...", in the order of the file (Sentinel-2\'s names; B11 is short-wave infrared)',
    )  # fmt: skip


def _check_names(path: Path, bands: Sequence[str]) -> None:
    unfit = [name for name in bands if not NAME.fullmatch(name) or name in (CLOUD_MASK, SCL) or bands.count(name) > 1]
    if unfit:
        raise wrong(
            "BANDS", "a name of its own for each band, of letters, digits, '_', '-' and '.', "
            f"and not {CLOUD_MASK} or {SCL}", f"{' '.join(bands)} for {path.name}", fix=f"rename {unfit[0]} with BANDS",
        )  # fmt: skip


def _coarse_copy(path: Path, dataset: DatasetReader) -> AnyArray:
    """Return every band, (bands, at most `LOOK_PX`, at most `LOOK_PX`); refuse a scene that holds nothing."""
    try:
        pixels = np.asarray(dataset.read(out_shape=(dataset.count, *(min(side, LOOK_PX) for side in dataset.shape))))
    except RasterioIOError as error:
        raise damaged_raster(path, f"{dataset.width} x {dataset.height} px", error) from error
    empty = dataset.nodata if dataset.nodata is not None else 0
    if not (np.isfinite(pixels) & (pixels != empty)).any():
        raise InputError(
            "the scene holds no data",
            where=path,
            expected="reflectance or colours",
            found=f"only {empty:g} or NaN in a copy of {pixels.shape[2]} x {pixels.shape[1]} px",
            fix="leave the scene out, or copy or download it again",
        )
    return pixels


def _calibration(
    path: Path, dataset: DatasetReader, pixels: AnyArray, level: str | None, baseline: str | None
) -> dict[str, Line]:
    finite = pixels[np.isfinite(pixels)] if pixels.dtype.kind == "f" else pixels
    lines: dict[str, Line] = {}
    if set(dataset.scales) == {1.0} and set(dataset.offsets) == {0.0}:
        if pixels.dtype.kind == "f":
            _check_reflectance(path, dataset, finite)
        else:
            lines |= _of_counts(level, baseline)
    if set(dataset.nodatavals) == {None} and (pixels == 0).all(axis=0).any():
        lines["nodata"] = Line(0, "pixels that are 0 in every band hold no data")
    return lines


def _of_counts(level: str | None, baseline: str | None) -> dict[str, Line]:
    if level in COUNTS:
        scale, offset, why = COUNTS[level]
        return {"scale": Line(scale, why), **({"offset": Line(offset)} if offset else {})}
    lines = {"scale": Line(1e-4, "whole numbers: reflectance x 10,000, as the file states no scale")}
    if baseline and OFFSET_SINCE <= baseline < "99":
        lines["offset"] = Line(-0.1, f"processing baseline {baseline}: DN have an offset of 1000")
    return lines


def _check_reflectance(path: Path, dataset: DatasetReader, finite: np.ndarray) -> None:
    largest = float(np.quantile(finite, 0.5)) if finite.size else math.nan
    if largest > REFLECTANCE_MAX:
        raise InputError(
            "the scene's pixels are no reflectance",
            where=path,
            expected="numbers of about 0 to 1, or the file's own scale and offset",
            found=f"half of the pixels above {largest:g}, and no scale",
            fix="state the scale: `gdal_edit.py -scale <scale> <file>` (0.0001 where it is reflectance x 10,000)",
        )
