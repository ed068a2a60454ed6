"""Checks over the stored scenes: those of one year fit together, and all years have one processing level."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.grid import Grid
from stages.common.geo.raster import grid_of, open_raster, pixels_with_data
from stages.common.geo.resample import resample_nearest
from stages.common.params.prepare import PrepareParams
from stages.common.scene.harmonise import calibration_of, to_physical
from stages.common.scene.overpass import overpasses
from stages.common.scene.scene import Scene
from stages.common.types import BoolArray, Float32Array, Float64Array

MAGNITUDE_RATIO_MAX = 100.0
"""Largest ratio of two scenes' median reflectance: snow and rock differ by a factor of 20 at most (in the SWIR), a
forgotten scale makes a factor of 10,000."""

REFLECTANCE_TOLERANCE, UNLIKE_SHARE_MAX = 0.05, 0.5
"""Neighbouring tiles of one pass differ slightly where they overlap, above all between UTM zones, but most of their
pixels agree."""


INFRARED = ("B08", "B8A", "B11", "B12")
"""Bands in which no haze is bright: without one of them a step in the darkest pixels proves nothing."""

FLOOR_QUANTILE = 0.005
"""Share of a scene's pixels below its floor: cast shadow, water and, in the short-wave infrared, snow."""

OFFSET_STEPS, STEP_TOLERANCE = (-0.2, -0.1, 0.1, 0.2), 0.05
"""Offsets of Sentinel-2 and of Landsat's surface reflectance, and half of the smaller: a step counts where it is nearer
to an offset than to none in every band. Between four seasons of a real scene the floors of a band differ by 0.047 at
most, and by 0.027 at most in the band that differs least."""


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """How many pixels of a band two scenes have in common, and how many of these differ."""

    shared: int
    """Number of pixels that are valid in both scenes."""
    unlike: int
    """Number of the shared pixels whose values differ (reflectance: by more than `REFLECTANCE_TOLERANCE`)."""
    added: int
    """Number of pixels that are valid in the second scene only."""


def check_one_level(scenes: Sequence[Scene]) -> None:
    """Refuse a series of several processing levels: top-of-atmosphere and surface reflectance never mix.

    Raises
    ------
    InputError
        The scenes are of several levels.
    """
    levels = {scene.info.processing_level: scene.info for scene in scenes if scene.info.processing_level}
    if len(levels) > 1:
        examples = ", ".join(f"{level} ({info.year}, {info.id})" for level, info in sorted(levels.items()))
        raise InputError(
            "the scenes are of different processing levels",
            where="data/scenes",
            expected="one level over the whole series",
            found=examples,
            fix="get all scenes at one level, L2A for Sentinel-2",
        )


def check_offset_steps(scenes: Sequence[Scene], prepare: PrepareParams) -> None:
    """Refuse a series in which the darkest pixels of all bands step by an offset from one scene to the next.

    No ground changes so: the offset of one of the two scenes is wrong. A scene in `prepare.trusted_offsets` may step.

    Raises
    ------
    InputError
        They step.
    """
    names = prepare.imagery_bands
    if prepare.storage != "sentinel2" or not set(names) & set(INFRARED):
        return
    ordered = sorted(scenes, key=lambda scene: (scene.info.year, str(scene.info.day), scene.info.id))
    floors = [floors_of(scene, names) for scene in ordered]
    for (first, low), (second, high) in pairwise(zip(ordered, floors, strict=True)):
        steps = high - low
        trusted = {first.info.id, second.info.id} & set(prepare.trusted_offsets)
        if not trusted and any(
            (np.abs(sign * steps - size) <= STEP_TOLERANCE).all() for size in OFFSET_STEPS for sign in (1, -1)
        ):
            raise _stepping(first, second, dict(zip(names, steps, strict=True)))


def floors_of(scene: Scene, names: Sequence[str]) -> Float64Array:
    """Return the reflectance below which `FLOOR_QUANTILE` of a scene's pixels lie, by band; NaN without a pixel."""
    floors = []
    for name in names:
        values = _values(scene, name)[0]
        seen_values = values[np.isfinite(values)]
        floors.append(float(np.quantile(seen_values, FLOOR_QUANTILE)) if seen_values.size else np.nan)
    return np.array(floors)


def _stepping(first: Scene, second: Scene, steps: Mapping[str, float]) -> InputError:
    baselines = " and ".join(
        f"{scene.info.id} ({scene.info.year}, baseline {scene.info.processing_baseline or 'unknown'})"
        for scene in (first, second)
    )
    return InputError(
        "the darkest pixels of all bands step by an offset from one scene to the next",
        where=baselines,
        expected="steps that differ between bands, as ground, snow and haze make them",
        found=", ".join(f"{name} {step:+.3f}" for name, step in steps.items()),
        fix="correct the offset of one of them (ingest.raster.scenes), or leave it out (ingest.choice.leave_out); "
        f"if you know that both are right, add {second.info.id} to prepare.trusted_offsets",
    )


def check_year(scenes: Sequence[Scene], prepare: PrepareParams) -> None:
    """Refuse scenes of one year that cannot be merged.

    Reflectance is compared, not DN: baselines, offsets and dtypes may differ. 8-bit RGB has no such common measure
    and must be stored alike.

    Raises
    ------
    InputError
        Levels, bands or (8-bit RGB) storage differ; reflectance differs by orders of magnitude; tiles of one day show
        different things at one place; or a scene of another day can fill no gap of an earlier one and is not mapped on
        its own (prepare.passes).
    """
    for first, second in combinations(scenes, 2):
        _check_alike(first, second, prepare)
        if prepare.storage == "sentinel2":
            _check_magnitude(first, second, prepare.imagery_bands)
        _check_overlap(first, second, prepare)


def _check_alike(first: Scene, second: Scene, prepare: PrepareParams) -> None:
    for name in prepare.imagery_bands:
        first_storage, second_storage = (_storage(scene, name, prepare) for scene in (first, second))
        if first_storage != second_storage:
            raise InputError(
                "two scenes of one year are stored differently",
                where=f"{second.info.year}, {second.info.id}, band {name}",
                expected=f"{_words(first_storage)} (as {first.info.id})",
                found=_words(second_storage),
                fix="convert one of them; scale and offset are in ingest.raster.scenes",
            )


def _storage(scene: Scene, name: str, prepare: PrepareParams) -> dict[str, object]:
    storage: dict[str, object] = {"processing_level": scene.info.processing_level}
    if prepare.storage == "rgb8":
        band = scene.bands[name]
        storage |= {"dtype": band.dtype, "scale": band.scale, "offset": band.offset}
    return storage


def _words(storage: dict[str, object]) -> str:
    return ", ".join(f"{key} {value}" for key, value in storage.items())


def _check_magnitude(first: Scene, second: Scene, names: Sequence[str]) -> None:
    for name in names:
        medians = [float(np.nanmedian(np.abs(_values(scene, name)[0]))) for scene in (first, second)]
        if max(medians) > MAGNITUDE_RATIO_MAX * max(min(medians), 1e-4):
            raise InputError(
                "two scenes of one year differ in reflectance by orders of magnitude",
                where=f"{second.info.year}, {second.info.id}, band {name}",
                expected=f"a median near {medians[0]:.3g} (as {first.info.id})",
                found=f"{medians[1]:.3g}",
                fix="correct scale and offset in ingest.raster.scenes (Sentinel-2 L2A DN: scale 0.0001)",
            )


def _check_overlap(first: Scene, second: Scene, prepare: PrepareParams) -> None:
    overlaps = [overlap(first, second, name, prepare) for name in prepare.imagery_bands]
    shared = max(band_overlap.shared for band_overlap in overlaps)
    unlike = max(band_overlap.unlike for band_overlap in overlaps)
    if shared == 0:
        return
    first_day, second_day = (day for day, _ in overpasses([first.info, second.info]))
    if first_day == second_day:
        if unlike > _unlike_max(prepare) * shared:
            undated = "" if first_day else "; neither has a day, so they count as tiles of one"
            raise _wrong_overlap(
                first, second, f"{shared} px are valid in both, {unlike} of them with different values{undated}"
            )
    elif prepare.passes == "merge" and _fills_nothing(first, overlaps):
        days = " and ".join(str(scene.info.day or f"{scene.info.year}, day unknown") for scene in (first, second))
        raise _wrong_overlap(first, second, f"taken on {days}, and the second shows nothing that the first does not")


def _fills_nothing(first: Scene, overlaps: Sequence[Overlap]) -> bool:
    return first.cloud_mask is None and first.scl is None and not any(band_overlap.added for band_overlap in overlaps)


def _unlike_max(prepare: PrepareParams) -> float:
    return UNLIKE_SHARE_MAX if prepare.storage == "sentinel2" else 0.0


def _wrong_overlap(first: Scene, second: Scene, problem: str) -> InputError:
    dated = "" if first.info.day or second.info.day else "give each its `date`, and "
    apart = f"{dated}map each day on its own (prepare.passes: separate)"
    return InputError(
        "two scenes of one year overlap wrongly",
        where=f"{second.info.year}: {first.info.id} and {second.info.id}",
        expected="tiles of one day that agree where they overlap, or another day that fills gaps (nodata, cloud mask)",
        found=problem,
        fix=f"keep one of them, cut them so that they adjoin, or {apart}",
    )


def overlap(first: Scene, second: Scene, name: str, prepare: PrepareParams) -> Overlap:
    """Compare a band of two scenes where they overlap, on the second scene's grid and by nearest neighbour."""
    tolerance = REFLECTANCE_TOLERANCE if prepare.storage == "sentinel2" else 0.0
    first_values, first_grid = _values(first, name)
    second_values, grid = _values(second, name)
    warped = resample_nearest(first_values, first_grid, grid, outside=np.nan)
    first_valid, second_valid = ~np.isnan(warped), ~np.isnan(second_values)
    both: BoolArray = first_valid & second_valid
    return Overlap(
        shared=int(both.sum()),
        unlike=int((np.abs(warped - second_values)[both] > tolerance).sum()),
        added=int((second_valid & ~first_valid).sum()),
    )


def _values(scene: Scene, name: str) -> tuple[Float32Array, Grid]:
    """Return the reflectance (or 8-bit value) of a band, (H, W) float32 with NaN where it has no data, and its grid."""
    with open_raster(scene.bands[name].path) as dataset:
        dn, grid = np.asarray(dataset.read(1)), grid_of(dataset)
    return to_physical(dn, pixels_with_data(dn, scene.bands[name].nodata), calibration_of(scene, name)), grid
