"""From reflectance to a product of ESA: blur, shift, noise, DN with or without offset, and an SCL with mistakes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stages.common.types import AnyArray, BoolArray, Float64Array
from stages.ingest.sources.twin.fields import blur, fractal
from stages.ingest.sources.twin.landscape import Landscape
from stages.ingest.sources.twin.light import Light
from stages.ingest.sources.twin.surface import SurfaceCover
from stages.ingest.sources.twin.weather import Weather

BLUR_PX = 0.55
"""Standard deviation of the point spread function: MTF at Nyquist about 0.2 (Sentinel-2 Data Quality Report)."""

NOISE = (0.0012, 0.004)
"""Standard deviation of the noise: a constant, and a share of the reflectance (signal to noise 150 to 200)."""

HAZE = {"B02": 0.014, "B03": 0.008, "B04": 0.005, "B08": 0.003, "B11": 0.001, "B12": 0.001}
"""Reflectance of the haze that the atmospheric correction leaves behind."""

SATURATION = 1.38
"""Reflectance at which a 10 m band saturates under this sun."""

QUANTIFICATION = 10_000

DN_OFFSET = 1000
"""What is added to the DN from baseline 04.00 on."""

FULL_RESOLUTION = ("B02", "B03", "B04", "B08")

CLOUD_REFLECTANCE = {"B02": 0.72, "B03": 0.70, "B04": 0.70, "B08": 0.70, "B11": 0.42, "B12": 0.33}
"""Reflectance of thick cloud; ice clouds are darker in the SWIR, but far brighter than snow with 0.02."""


@dataclass(frozen=True, kw_only=True)
class ViewingConditions:
    """What lies between the ground and the DN at one overpass."""

    light: Light
    weather: Weather
    shift_px: tuple[float, float]
    """Misregistration in rows and columns of the finest bands, within half a pixel."""
    offset: bool
    """Whether `DN_OFFSET` is added to the DN."""


def instrument_reflectance(ground: Float64Array, band: str, conditions: ViewingConditions) -> Float64Array:
    """Return the reflectance that the instrument measures in a band, (H, W), before it is sampled."""
    light = conditions.light
    direct = light.direct * (1 - 0.85 * conditions.weather.cloud_shadow)
    reflectance = ground * Light(direct=direct, sky=light.sky).of_band(band) + HAZE[band]
    cloud = conditions.weather.cloud
    reflectance = reflectance + cloud * (CLOUD_REFLECTANCE[band] * (0.75 + 0.25 * cloud) - reflectance)
    return np.asarray(np.minimum(blur(reflectance, BLUR_PX, conditions.shift_px), SATURATION))


def digitise(measured: Float64Array, band: str, conditions: ViewingConditions, rng: np.random.Generator) -> AnyArray:
    """Return the DN, (H, W) or (H / 2, W / 2) uint16; 0 is reserved for nodata."""
    if band not in FULL_RESOLUTION:
        measured = halve(measured)
    constant, part = NOISE
    noisy = measured + rng.standard_normal(measured.shape) * (constant + part * measured)
    noisy = np.where(measured >= SATURATION, SATURATION, np.minimum(noisy, SATURATION))
    dn = np.rint(np.round(noisy * QUANTIFICATION, 3)) + (DN_OFFSET if conditions.offset else 0)
    return np.asarray(np.clip(dn, 1, 65535).astype("uint16"))


def halve(field: AnyArray) -> Float64Array:
    """Return the mean of 2 x 2 pixels, (H / 2, W / 2)."""
    rows, columns = field.shape[0] // 2, field.shape[1] // 2
    return np.asarray(field[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).sum(axis=(1, 3)) / 4.0)


def classify(
    world: Landscape, cover: SurfaceCover, conditions: ViewingConditions, rng: np.random.Generator
) -> AnyArray:
    """Return a scene classification with the usual mistakes of Sen2Cor, (H / 2, W / 2) uint8.

    Bright snow is mistaken for cloud (9, 8), thin cloud over snow for snow (11), dark slopes for shadow (2, 3); ridges
    of sunlit snow are saturated (1), thin cloud is not classified (7).
    """
    part = {name: halve(field) for name, field in _parts(cover, conditions).items()}
    doubt = fractal(rng, _shape(part["snow"]), pixel_m=2 * world.pixel_m, longest_m=900)
    scl = np.full(doubt.shape, 5, dtype="uint8")
    for value, where in _classes(part, doubt):
        scl[where] = value
    return scl


def _parts(cover: SurfaceCover, conditions: ViewingConditions) -> dict[str, Float64Array]:
    return {
        "snow": cover.snow,
        "water": cover.water,
        "green": cover.vegetation,
        "icy": (cover.ice & (cover.debris < 0.5)).astype(float),
        "light": conditions.light.direct,
        "cloud": conditions.weather.cloud,
        "shade": conditions.weather.cloud_shadow,
    }


def _classes(part: dict[str, Float64Array], doubt: Float64Array) -> list[tuple[int, BoolArray]]:
    """Return classes and their pixels, later ones over earlier ones; `doubt` (H, W) decides where mistakes are made."""
    snow, light, cloud, shade = (part[name] for name in ("snow", "light", "cloud", "shade"))
    white = (snow > 0.5) | (part["icy"] > 0.5)
    return [
        (4, part["green"] > 0.5),
        (2, light < 0.12),
        (6, part["water"] > 0.5),
        (11, white),
        (2, white & (light < 0.1) & (doubt > 0.6)),
        (1, (snow > 0.9) & (light > 1.36)),
        (8, white & (light > 0.9) & (doubt > 2.2)),
        (9, white & (light > 1.0) & (doubt > 2.5)),
        (3, (shade > 0.4) & (doubt < 1.5)),
        (10, (cloud > 0.08) & (doubt > 0.2)),
        (7, (cloud > 0.15) & (doubt < -0.5)),
        (8, cloud > 0.22),
        (9, cloud > 0.6),
        (11, (cloud > 0.22) & (cloud < 0.6) & white & (doubt < -1.3)),
    ]


def _shape(field: AnyArray) -> tuple[int, int]:
    return field.shape[0], field.shape[1]
