"""Check, from the pixels, that a scene's DN were turned into reflectance with the right offset.

Snow and ice are nearly black in the short-wave infrared. With the offset of 0.1 left in, nothing is below 0.1 there;
with the offset subtracted twice, most of it is negative. The bounds are calibrated on 7643 measured spectra of snow
and ice and on four seasons of a real Himalayan scene (docs/method.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.common.errors import InputError
from stages.common.scene.harmonise import calibration_of
from stages.common.scene.scene import Scene
from stages.common.tables.kinds import DN_OFFSET
from stages.common.tables.prepare import OffsetProof
from stages.common.types import Float32Array
from stages.prepare.masks import FRACTION_DECIMALS, SNOW, VISIBLE, classes_on_grid
from stages.prepare.scene_pixels import ScenePixels

SNOW_IS_DARK_IN = ("B11", "B12")
"""Short-wave infrared."""

OFFSET = -DN_OFFSET
"""0.1: what is left in or subtracted twice."""

PIXELS_MIN = 500
"""Fewer snow pixels (0.2 km2 at 20 m) prove nothing."""

CLEARLY_NEGATIVE = -0.03
"""Real reflectance falls below it in 0.05 % of a real scene's pixels, whatever the band from B02 to B12."""

LEFT_IN_BELOW_MAX = 0.05
"""Share of snow below 0.1 in SWIR: 0 with the offset left in; 0.88-0.97 of spectra, 0.30-0.82 of the scene as it is."""

LEFT_IN_JUST_ABOVE_MIN = 0.2
"""Share between 0.1 and 0.2: 0.30-0.97 with the offset left in. Where it is smaller, the "snow" is ice cloud."""

TWICE_NEGATIVE_MIN = 0.05
"""Share clearly negative: 0.06-0.97 with the offset subtracted twice; 0 as it is, cast shadow included."""

FLOOR_WIDTH = 0.05
FLOOR_RATIO_MIN = 10.0
FLOOR_SHARE_MIN = 0.002
"""The visible test: 0.2 % of the pixels within 0.05 above 0.1, and ten times as many as below it, in each band."""

VISIBLE_NEGATIVE_MIN = 0.02
"""Share clearly negative in a visible band: 0.03-0.16 with the offset subtracted twice, 0.0005 as it is."""

VISIBLE_BELOW_MIN = 0.05
"""Share below 0.1 in the darkest visible band (0.15-0.30 of the scene as it is) that makes the offset plausible."""

Method = Literal["snow in SWIR", "visible floor"]
Verdict = Literal["proven", "plausible", "not proven", "left in", "subtracted twice"]


@dataclass(frozen=True)
class Shares:
    """Shares of a band's pixels, 0-1, by their reflectance."""

    below: float
    """Share of pixels below 0.1."""
    just_above: float
    """Share of pixels from 0.1 to 0.2 (snow in SWIR) or to 0.15 (the visible floor)."""
    negative: float
    """Share of pixels below 0."""
    clearly_negative: float
    """Share of pixels below `CLEARLY_NEGATIVE`."""


def check_offset(pixels: ScenePixels) -> OffsetProof:
    """Return what the pixels of a Sentinel-2 scene show about its offset.

    Raises
    ------
    InputError
        They contradict the offset: it was left in, or subtracted twice.
    """
    bands = pixels.scene.bands
    if pixels.scene.scl and (dark := [name for name in SNOW_IS_DARK_IN if name in bands]):
        return _check(pixels.scene, "snow in SWIR", {name: _snow(pixels, name) for name in dark})
    if visible := [name for name in VISIBLE if name in bands]:
        return _check(pixels.scene, "visible floor", {name: _reflectance(pixels, name) for name in visible})
    return OffsetProof(method=None, verdict="not proven", pixels=0, below_offset_fraction={}, negative_fraction={})


def shares_of(values: Float32Array, *, width: float) -> Shares:
    """Return the shares of reflectance values (N,) below 0.1, within `width` above it, and below 0."""
    if values.size == 0:
        return Shares(0.0, 0.0, 0.0, 0.0)
    return Shares(
        below=float((values < OFFSET).mean()),
        just_above=float(((values >= OFFSET) & (values < OFFSET + width)).mean()),
        negative=float((values < 0).mean()),
        clearly_negative=float((values < CLEARLY_NEGATIVE).mean()),
    )


def judge_snow(bands: Sequence[Shares]) -> Verdict:
    """Return the verdict from the SWIR reflectance of snow and ice; one clear band is enough."""
    if max(band.clearly_negative for band in bands) >= TWICE_NEGATIVE_MIN:
        return "subtracted twice"
    if max(band.below for band in bands) >= LEFT_IN_BELOW_MAX:
        return "proven"
    if max(band.just_above for band in bands) >= LEFT_IN_JUST_ABOVE_MIN:
        return "left in"
    return "not proven"


def judge_floor(bands: Sequence[Shares]) -> Verdict:
    """Return the verdict from the darkest visible pixels: the weaker test, so all bands must agree on a floor."""
    if max(band.clearly_negative for band in bands) >= VISIBLE_NEGATIVE_MIN:
        return "subtracted twice"
    if all(band.just_above >= FLOOR_SHARE_MIN and band.just_above >= FLOOR_RATIO_MIN * band.below for band in bands):
        return "left in"
    return "plausible" if max(band.below for band in bands) >= VISIBLE_BELOW_MIN else "not proven"


def _check(scene: Scene, method: Method, reflectance: Mapping[str, Float32Array]) -> OffsetProof:
    width, judge = TESTS[method]
    pixels = min(values.size for values in reflectance.values())
    shares = {name: shares_of(values, width=width) for name, values in reflectance.items()}
    verdict = judge(list(shares.values())) if pixels >= PIXELS_MIN else "not proven"
    match verdict:
        case "left in" | "subtracted twice":
            raise _wrong(scene, method, shares, verdict)
    return OffsetProof(
        method=method,
        verdict=verdict,
        pixels=pixels,
        below_offset_fraction={name: round(band.below, FRACTION_DECIMALS) for name, band in shares.items()},
        negative_fraction={name: round(band.negative, FRACTION_DECIMALS) for name, band in shares.items()},
    )


def _reflectance(pixels: ScenePixels, name: str) -> Float32Array:
    """Return the (N,) reflectance where a band has data."""
    values, _ = pixels.values(name)
    return values[np.isfinite(values)]


def _snow(pixels: ScenePixels, name: str) -> Float32Array:
    """Return the (N,) reflectance where a band has data and the scene classification says snow or ice."""
    values, grid = pixels.values(name)
    return values[np.isfinite(values) & (classes_on_grid(pixels, grid) == SNOW)]


def _wrong(scene: Scene, method: Method, shares: Mapping[str, Shares], verdict: Verdict) -> InputError:
    place = "SWIR reflectance of snow and ice" if method == "snow in SWIR" else "visible reflectance"
    percentages = "; ".join(
        f"{name}: {100 * band.below:.1f} % below 0.1, {100 * band.negative:.1f} % negative"
        for name, band in shares.items()
    )
    offsets = ", ".join(f"{name} {calibration_of(scene, name).offset:g}" for name in shares)
    info = scene.info
    return InputError(
        f"the pixels contradict the scene's offset: it is {verdict}",
        where=f"{info.year}, {info.id} (baseline {info.processing_baseline or 'unknown'}, offset used: {offsets})",
        expected=f"{place} partly below 0.1 and hardly ever negative",
        found=percentages,
        fix=REMEDY[verdict],
    )


TESTS: dict[Method, tuple[float, Callable[[Sequence[Shares]], Verdict]]] = {
    "snow in SWIR": (OFFSET, judge_snow),
    "visible floor": (FLOOR_WIDTH, judge_floor),
}
"""Per method: width of the range just above 0.1, and the function that judges the shares."""

REMEDY: dict[str, str] = {
    "left in": "the DN carry 1000 that is not subtracted: give offset -0.1, or correct the item's baseline or flag",
    "subtracted twice": "the DN no longer carry 1000: give offset 0, or correct the item's baseline or flag",
}
