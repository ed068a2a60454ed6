"""Check, from the pixels and from what is stated, that a scene's DN were turned into reflectance with the right offset.

Snow and ice are nearly black in the short-wave infrared, on the ground and at the top of the atmosphere alike. With the
offset left in, nothing is below it there; with the offset subtracted twice, most of it is negative. Where no snow can
be compared, the darkest pixels tell, in the bands of `stages.prepare.levels`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from stages.common.errors import InputError
from stages.common.geo.rows import strips
from stages.common.scene.harmonise import FIRST_BASELINE_WITH_OFFSET, baseline_of, calibration_of, made_locally
from stages.common.scene.scene import Scene
from stages.common.tables.kinds import DN_OFFSET
from stages.common.tables.prepare import OffsetMethod, OffsetProof
from stages.common.types import Float32Array
from stages.prepare.levels import SURFACE_SENTINEL2, dark_bands, level_of
from stages.prepare.masks import FRACTION_DECIMALS, GREEN, SNOW, classes_on_grid, cloud_on_grid
from stages.prepare.offset_shares import FLOOR_WIDTH, SNOW_WIDTH, Shares, judge_floor, judge_snow, shares_of
from stages.prepare.scene_pixels import ScenePixels

SNOW_IS_DARK_IN = ("B11", "B12")
"""Short-wave infrared."""

SNOW_DIFFERENCE_MIN = 0.3
"""Green minus short-wave infrared of snow and ice: 64-98 % of spectra exceed it, 0.05 % of rock and no water. No offset
that is common to both bands changes it."""

PIXELS_MIN = 500
"""Fewer snow pixels (0.2 km2 at 20 m) prove nothing."""

STATED_TOLERANCE = 0.05
"""Largest difference between the offset that is used and the one that follows from the stated baseline."""

SENTINEL2_LEVELS = ("L2A", "L1C", None)
"""Levels at which a stated processing baseline is one of Sentinel-2."""

Evidence = tuple[OffsetMethod | None, Mapping[str, Shares]]
"""Method, and the shares of the reflectance that it judges, by band."""


def check_offset(pixels: ScenePixels) -> OffsetProof:
    """Return what the pixels of a scene show about its offset.

    Raises
    ------
    InputError
        They contradict the offset: it was left in, or subtracted twice; or they do not prove an offset that contradicts
        the stated baseline. `prepare.trusted_offsets` lets a scene pass, with that verdict.
    """
    scene = pixels.scene
    proof = _judged(scene, *_evidence(pixels))
    unlike = None if proof.verdict == "proven" else _unlike_baseline(scene)
    if unlike and proof.verdict not in REASONS:
        proof = proof.model_copy(update={"verdict": "unlike its baseline"})
    if proof.verdict in REASONS and scene.info.id not in pixels.params.trusted_offsets:
        raise _wrong(scene, proof, unlike)
    return proof


def _evidence(pixels: ScenePixels) -> Evidence:
    """Return the strongest evidence there is: classified snow, snow by its colour, then the darkest pixels."""
    bands, level = pixels.scene.bands, pixels.scene.info.processing_level
    dark = [name for name in SNOW_IS_DARK_IN if name in bands]
    width, offset = SNOW_WIDTH, level_of(level).offset
    if dark and pixels.scene.scl:
        return "snow in SWIR", {
            name: shares_of(_classified_snow(pixels, name), width=width, offset=offset) for name in dark
        }
    if dark and GREEN in bands:
        snow = {name: shares_of(_bright_green(pixels, name), width=width, offset=offset) for name in dark}
        if min(shares.pixels for shares in snow.values()) >= PIXELS_MIN:
            return "snow by colour", snow
    if names := dark_bands(level, bands):
        method: OffsetMethod = "visible floor" if level_of(level) is SURFACE_SENTINEL2 else "dark pixels"
        width = FLOOR_WIDTH
        return method, {name: shares_of(_reflectance(pixels, name), width=width, offset=offset) for name in names}
    return None, {}


def _judged(scene: Scene, method: OffsetMethod | None, shares: Mapping[str, Shares]) -> OffsetProof:
    level = level_of(scene.info.processing_level)
    pixels = min((band.pixels for band in shares.values()), default=0)
    verdict: str = "not proven"
    if pixels >= PIXELS_MIN:
        bands = list(shares.values())
        snow = method in ("snow in SWIR", "snow by colour")
        verdict = judge_snow(bands) if snow else judge_floor(bands, in_every_band=level.shift_in_every_band)
    return OffsetProof.model_validate(
        {
            "method": method,
            "verdict": verdict,
            "pixels": pixels,
            "below_offset_fraction": {name: round(band.below, FRACTION_DECIMALS) for name, band in shares.items()},
            "negative_fraction": {name: round(band.negative, FRACTION_DECIMALS) for name, band in shares.items()},
        }
    )


def _reflectance(pixels: ScenePixels, name: str) -> Iterator[Float32Array]:
    """Yield the (N,) reflectance where a band has data, strip by strip."""
    values, _ = pixels.values(name)
    for rows in strips(len(values)):
        part = values[rows]
        yield part[np.isfinite(part)]


def _classified_snow(pixels: ScenePixels, name: str) -> Iterator[Float32Array]:
    """Yield the (N,) reflectance where a band has data and the scene classification says snow or ice."""
    values, grid = pixels.values(name)
    classes = classes_on_grid(pixels, grid)
    for rows in strips(len(values)):
        part = values[rows]
        if classes is not None:
            yield part[np.isfinite(part) & (classes[rows] == SNOW)]


def _bright_green(pixels: ScenePixels, name: str) -> Iterator[Float32Array]:
    """Yield the (N,) reflectance where green is far above it and no cloud is masked: snow and ice."""
    values, grid = pixels.values(name)
    green, cloud = pixels.values_on(grid, GREEN), cloud_on_grid(pixels, grid)
    for rows in strips(len(values)):
        part = values[rows]
        with np.errstate(invalid="ignore"):
            snow = green[rows] - part > SNOW_DIFFERENCE_MIN
        yield part[snow & ~cloud[rows]]


def _unlike_baseline(scene: Scene) -> str | None:
    """Return how the offset that is stated with the bands contradicts the stated baseline; None where it does not.

    Numbers that are reflectance already (scale 1, offset 0) have no offset to state.
    """
    info = scene.info
    if info.convention not in (None, "stated") or info.processing_level not in SENTINEL2_LEVELS:
        return None
    if info.processing_baseline is None or made_locally(info):
        return None
    expected = DN_OFFSET if baseline_of(info) >= FIRST_BASELINE_WITH_OFFSET else 0.0
    for name in scene.bands:
        used = calibration_of(scene, name)
        if (used.scale, used.offset) != (1.0, 0.0) and abs(used.offset - expected) > STATED_TOLERANCE:
            return f"baseline {info.processing_baseline} has offset {expected:g}, {name} has {used.offset:g}"
    return None


def _wrong(scene: Scene, proof: OffsetProof, unlike: str | None) -> InputError:
    info, names = scene.info, proof.below_offset_fraction or scene.bands
    offset = level_of(info.processing_level).offset
    offsets = ", ".join(f"{name} {calibration_of(scene, name).offset:g}" for name in names)
    percentages = [
        f"{name}: {100 * below:.1f} % below {offset:g}, {100 * proof.negative_fraction[name]:.1f} % negative"
        for name, below in proof.below_offset_fraction.items()
    ]
    what, expected = f"the pixels contradict the scene's offset: it is {proof.verdict}", EXPECTED[proof.method]
    if proof.verdict == "unlike its baseline":
        what, expected = "the scene's offset contradicts its baseline, and the pixels do not prove it", EXPECTED[None]
    return InputError(
        what,
        where=f"{info.year}, {info.id} (baseline {info.processing_baseline or 'unknown'}, offset used: {offsets})",
        expected=expected.format(offset=f"{offset:g}"),
        found="; ".join([*([unlike] if unlike else []), *percentages]),
        fix=_remedy(scene, proof.verdict, offset),
    )


def _remedy(scene: Scene, verdict: str, offset: float) -> str:
    """Return what the user of the scene's source can do."""
    used = calibration_of(scene, next(iter(scene.bands))).offset
    match scene.info.convention:
        case None:
            right = {"left in": used - offset, "subtracted twice": used + offset}.get(verdict)
            offset_text = (
                "another offset or processing_baseline" if right is None else f"offset {round(right, 6) + 0:g}"
            )
            action = f"give {offset_text} in ingest.raster.scenes"
        case "stated":
            action = "name it in ingest.choice.leave_out, or download the product again"
        case _:
            action = "name it in ingest.choice.leave_out, or take the series of another catalogue (ingest.stac.profile)"
    return f"{action}; if you know that it is right, add {scene.info.id} to prepare.trusted_offsets"


REASONS: dict[str, str] = {
    "left in": "the pixels say that the offset is left in",
    "subtracted twice": "the pixels say that the offset is subtracted twice",
    "unlike its baseline": "it contradicts the baseline, and the pixels do not prove it",
}
"""Verdicts that refuse a scene, in words of the log."""

EXPECTED: dict[OffsetMethod | None, str] = {
    "snow in SWIR": "SWIR reflectance of snow and ice partly below {offset} and hardly ever negative",
    "snow by colour": "SWIR reflectance of snow and ice partly below {offset} and hardly ever negative",
    "visible floor": "visible reflectance partly below {offset} and hardly ever negative",
    "dark pixels": "red and infrared reflectance partly below {offset} and hardly ever negative",
    None: "the offset of the stated baseline",
}
