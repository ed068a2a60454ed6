"""One overpass over the twin: its day, processing baseline, weather, and layers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stages.common.geo.grid import Grid
from stages.common.params.ingest import TwinParams
from stages.common.scene.harmonise import carries_offset
from stages.common.scene.scene import SCL, Layer, SceneInfo
from stages.common.types import AnyArray
from stages.ingest.sources.twin import change, sensor, surface, weather
from stages.ingest.sources.twin.change import Ice
from stages.ingest.sources.twin.landscape import Landscape
from stages.ingest.sources.twin.light import light_on, sun_on
from stages.ingest.sources.twin.spectra import BANDS
from stages.ingest.sources.twin.surface import SurfaceCover
from stages.ingest.sources.twin.weather import Weather

SEASON = (281, 307)
"""Days of the year: 8 October to 3 November, after the monsoon and before winter."""

ORBIT, TILE = 19, "44RLV"
"""Relative orbit and tile of Gangotri; the pixels are not those of the real tile."""

BASELINES = {
    2015: "02.00", 2016: "02.04", 2017: "02.05", 2018: "02.08", 2019: "02.13", 2020: "02.14", 2021: "03.01",
    2022: "04.00", 2023: "05.09", 2024: "05.11",
}  # fmt: skip
"""Processing baseline of products made in October of the year (Sentinel-2 Annual Performance Report)."""

REPROCESSED = "05.00"
"""Collection 1: an old scene with the new offset."""

CLEAR, FAIR, CLOUDED = 0.0, 0.01, 0.12
"""Cloud cover, 0-1, of most years, of some, and of the years of which one scene is not enough."""

SNOW_LINE_M = (60.0, 200.0)
"""Height of the snow line above the equilibrium line at the end of the season, lowest and highest."""

EARLY_SNOW_M = -550.0
"""Height of the snow line above the equilibrium line after an early snowfall."""

THREADS, AHEAD = 2, 2
"""Overpasses that are rendered at once, and those rendered before they are asked for. Each has its own random numbers,
so that this changes only the time. No thread opens a file."""

SHIFT_PX = 0.5
"""Largest misregistration along an axis."""


class Rendered:
    """Pixels of overpasses, each rendered once: the choice of scenes needs some layers, storing needs all."""

    def __init__(self) -> None:
        self._overpasses: list[Overpass] = []
        self._pixels: dict[tuple[int, int], Future[dict[str, AnyArray]]] = {}
        self._pool = ThreadPoolExecutor(THREADS)

    def append(self, overpass: Overpass) -> None:
        """Take an overpass, which is rendered once it, or one shortly before it, is asked for."""
        self._overpasses.append(overpass)

    def pixels(self, key: tuple[int, int]) -> dict[str, AnyArray]:
        """Return the pixels of the overpass of this year and number, and begin those after it."""
        position = next(place for place, overpass in enumerate(self._overpasses) if overpass.key == key)
        for overpass in self._overpasses[position : position + 1 + AHEAD]:
            if overpass.key not in self._pixels:
                self._pixels[overpass.key] = self._pool.submit(overpass.render)
        return self._pixels[key].result()


@dataclass(frozen=True, kw_only=True)
class Overpass:
    """A candidate scene. Everything random about it follows from the seed, the year and its number in the year."""

    world: Landscape
    params: TwinParams
    year: int
    number: int
    crop: tuple[slice, slice]
    """Rows and columns of the world that the scene shows; even numbers of pixels."""
    grid: Grid
    """Grid of these pixels."""
    rendered: Rendered
    """Holds the pixels, with those of other overpasses."""

    @property
    def key(self) -> tuple[int, int]:
        """Year, and number in the year."""
        return self.year, self.number

    def rng(self, *purpose: int) -> np.random.Generator:
        """Return the random numbers for one purpose."""
        return np.random.default_rng([self.world.seed, 4, self.year, self.number, *purpose])

    @cached_property
    def day(self) -> dt.date:
        """Day of acquisition; no two overpasses of a year have the same day."""
        first, last = SEASON
        ordinal = int(self.rng(0).integers(first, last - 10)) + 5 * self.number
        earlier_days = {replace(self, number=number).day for number in range(self.number)}
        day = dt.date(self.year, 1, 1) + dt.timedelta(days=ordinal - 1)
        while day in earlier_days:
            day += dt.timedelta(days=1)
        return day

    @property
    def baseline(self) -> str:
        """Processing baseline."""
        if self.year in self.params.reprocessed_years:
            return REPROCESSED
        return BASELINES[min(max(self.year, min(BASELINES)), max(BASELINES))]

    @property
    def offset(self) -> bool:
        """Whether the DN carry the offset."""
        return carries_offset(self.info)

    @property
    def shift_px(self) -> tuple[float, float]:
        """Misregistration in rows and columns."""
        south, east = np.round(self.rng(5).uniform(-SHIFT_PX, SHIFT_PX, 2), 3)
        return float(south), float(east)

    @property
    def info(self) -> SceneInfo:
        """Metadata, as a catalogue that states no offset would give them."""
        sun, day = sun_on(self.day.timetuple().tm_yday), self.day
        name = f"SIMULATED_MSIL2A_{day:%Y%m%d}T052500_N{self.baseline.replace('.', '')}_R{ORBIT:03d}_T{TILE}"
        return SceneInfo(
            id=f"TWIN_{TILE}_{day:%Y%m%d}",
            year=self.year,
            acquired=dt.datetime.combine(day, dt.time(5, 25), tzinfo=dt.UTC),
            product=name,
            platform="simulated",
            processing_level="L2A",
            processing_baseline=self.baseline,
            relative_orbit=ORBIT,
            tile=TILE,
            sun_elevation_deg=sun.elevation_deg,
            sun_azimuth_deg=sun.azimuth_deg,
            convention="by-baseline",
        )

    def layers(self) -> Iterator[Layer]:
        """Yield the bands and SCL; B11, B12 and SCL have twice the pixel size."""
        for name in (*BANDS, SCL):
            yield self.layer(name)

    def layer(self, name: str) -> Layer:
        """Return one layer."""
        pixels = self.rendered.pixels(self.key)[name]
        scale = 1 / sensor.QUANTIFICATION
        if name == SCL:
            return Layer(name=name, pixels=pixels, grid=self._grid_of(pixels), nodata=0)
        return Layer(name=name, pixels=pixels, grid=self._grid_of(pixels), nodata=0, scale=scale)

    def _grid_of(self, pixels: AnyArray) -> Grid:
        size = self.grid.height // pixels.shape[0]
        return Grid(
            crs=self.grid.crs, transform=self.grid.transform @ self.grid.transform.scale(size),
            height=pixels.shape[0], width=pixels.shape[1],
        )  # fmt: skip

    def render(self) -> dict[str, AnyArray]:
        """Return the pixels of all layers."""
        ice = change.ice_of(self.world, self.params, self.year)
        conditions, cover = self._conditions(ice)
        pixels = {}
        for number, band in enumerate(BANDS):
            ground = surface.compose(self.world, ice, cover, surface.colours(self.world, band))
            measured = sensor.instrument_reflectance(ground, band, conditions)[self.crop]
            pixels[band] = sensor.digitise(measured, band, conditions, self.rng(1, number))
        halved = tuple(slice(part.start // 2, part.stop // 2) for part in self.crop)
        pixels[SCL] = sensor.classify(self.world, cover, conditions, self.rng(2))[halved]
        return pixels

    def _conditions(self, ice: Ice) -> tuple[sensor.ViewingConditions, SurfaceCover]:
        world, sun = self.world, sun_on(self.day.timetuple().tm_yday)
        snow = weather.snow_cover(world, ice, world.equilibrium_m + self._snow_line_m(), self.rng(3))
        cloud, cloud_shadow = weather.clouds(world, sun, self._cloud_cover(), self.rng(4))
        conditions = sensor.ViewingConditions(
            light=light_on(surface.surface_relief(world, ice), world.pixel_m, sun),
            weather=Weather(snow=snow, cloud=cloud, cloud_shadow=cloud_shadow),
            shift_px=self.shift_px,
            offset=self.offset,
        )
        return conditions, surface.surface_cover(world, ice, snow)

    def _snow_line_m(self) -> float:
        line = float(np.round(self.rng(6).uniform(*SNOW_LINE_M)))
        return EARLY_SNOW_M if self.year in self.params.early_snow_years else line

    def _cloud_cover(self) -> float:
        if self.year in self.params.cloudy_years:
            return CLOUDED
        return FAIR if self.rng(7).uniform() < 0.4 else CLEAR


def overpasses(
    world: Landscape, params: TwinParams, years: Sequence[int], crop: tuple[slice, slice], grid: Grid, *, per_year: int
) -> Iterator[Overpass]:
    """Yield `per_year` overpasses of each year, at least one, and at least two of cloudy years."""
    rendered = Rendered()
    for year in years:
        for number in range(max(per_year, 2 if year in params.cloudy_years else 1)):
            overpass = Overpass(
                world=world, params=params, year=year, number=number, crop=crop, grid=grid, rendered=rendered
            )
            rendered.append(overpass)
            yield overpass
