"""The ``ingest`` part of ``params.yaml``: origin of imagery and outlines. No stage of the DAG reads it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileParams(_Section):
    """A vector file. ``$NAME`` in a path is replaced by the environment variable of that name."""

    path: str
    layer: str | None = None


class BoxParams(_Section):
    """A bounding box."""

    bounds: Annotated[tuple[float, float, float, float], Field(description="left, bottom, right, top")]
    crs: str = "EPSG:4326"

    @model_validator(mode="after")
    def _has_extent(self) -> Self:
        left, bottom, right, top = self.bounds
        if left >= right or bottom >= top:
            raise ValueError(f"bounds are left, bottom, right, top; found {self.bounds}")
        return self


class RasterSceneParams(_Section):
    """One local GeoTIFF. Several with one year are adjoining tiles and are merged by `prepare`."""

    path: str
    date: Annotated[dt.date | None, Field(description="day of acquisition, where known")] = None
    year: int | None = None
    bands: Annotated[list[str], Field(min_length=1, description="names of the file's bands, in the file's order")]
    scale: Annotated[float, Field(gt=0, description="reflectance = DN x scale + offset; 8-bit RGB: 1")] = 1.0
    offset: float = 0.0
    nodata: Annotated[float | None, Field(description="counts beside what the file says")] = None
    processing_level: Annotated[
        Literal["L1C", "L2A", "L1TP", "L2SP", "HLS"] | None,
        Field(description="L1C, L2A: Sentinel-2; L1TP, L2SP: Landsat; HLS: harmonised Landsat and Sentinel-2"),
    ] = None
    processing_baseline: Annotated[str | None, Field(pattern=r"^\d{2}\.\d{2}$")] = None
    cloud_mask: Annotated[str | None, Field(description="file on any grid: not 0 is cloud")] = None

    @field_validator("date", mode="before")
    @classmethod
    def _quoted(cls, value: object) -> object:
        if isinstance(value, dt.date):
            raise ValueError("put the date in quotes: DVC cannot read YAML dates")  # noqa: TRY004 (pydantic's way)
        return value

    @model_validator(mode="after")
    def _dated(self) -> Self:
        if self.date is None and self.year is None:
            raise ValueError("give date, or at least year")
        if self.date is not None and self.year is not None and abs(self.date.year - self.year) > 1:
            raise ValueError(f"year {self.year} is not the year of date {self.date}, nor the one before or after")
        if len(set(self.bands)) != len(self.bands):
            raise ValueError(f"a band is named twice: {self.bands}")
        return self

    @property
    def acquired(self) -> dt.date | None:
        """Day of acquisition, or None where only the year is known."""
        return self.date


class RasterSourceParams(_Section):
    """Source ``raster``: GeoTIFFs on this machine."""

    scenes: list[RasterSceneParams]


class SafeSourceParams(_Section):
    """Source ``safe``: Sentinel-2 products as downloaded: folders with names ending in .SAFE, or zip files of them."""

    folder: Annotated[str, Field(description="searched with its subfolders; `$NAME` as in other paths")]
    processing_level: Annotated[Literal["L2A", "L1C"], Field(description="products of another level are refused")] = (
        "L2A"
    )
    resolution_m: Annotated[
        Literal[10, 20, 60], Field(description="10: each band at its own resolution; coarser: the product's own copies")
    ] = 10


class StacSourceParams(_Section):
    """Source ``stac``: Sentinel-2 L2A from a STAC API."""

    profile: Annotated[
        Literal["copernicus-dataspace", "earth-search-c1", "earth-search", "planetary-computer"],
        Field(description="asset keys, meaning of the DN and way of access of a known catalogue"),
    ]
    url: Annotated[str | None, Field(pattern=r"^https?://", description="another API built like the profile's")] = None
    collection: str | None = None
    token_url: Annotated[str | None, Field(pattern=r"^https?://")] = None
    private_addresses: Annotated[
        bool, Field(description="true: the catalogue and its files may lie in your own network or on this machine")
    ] = False
    tiles: Annotated[list[str], Field(description="MGRS tiles, as 44RLV; empty: all that touch the AOI")] = []


class TwinParams(_Section):
    """Source ``twin``: a simulated site with known truth (docs/twin.md)."""

    seed: Annotated[int, Field(ge=0)] = 1
    retreat_m_per_year: Annotated[
        float, Field(description="retreat of the main glacier's front, from 2000 on; negative: advance")
    ] = 20.0
    debris_fraction: Annotated[float, Field(ge=0, le=0.8, description="fraction of the ice under debris in 2016")] = 0.3
    debris_growth_km2_per_year: float = 0.1
    early_snow_years: Annotated[list[int], Field(description="snow down to the valleys before the scene")] = []
    cloudy_years: Annotated[list[int], Field(description="the first scene is cloudy; a second one exists")] = []
    reprocessed_years: Annotated[
        list[int], Field(description="years before 2022 delivered in baseline 05.00, with the offset")
    ] = []


class AuxiliaryParams(_Section):
    """Optional inputs."""

    dem: Annotated[str | None, Field(description="raster of elevation in metres")] = None
    debris: Annotated[FileParams | None, Field(description="polygons of debris cover")] = None
    flow_lines: Annotated[
        FileParams | None,
        Field(description="lines from head to front with a column rgi_id (or RGIId), one per glacier"),
    ] = None


MonthDay = Annotated[str, Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$", description="MM-DD, in quotes")]
Share = Annotated[float, Field(ge=0, le=1)]


class SeasonParams(_Section):
    """Days of the year that a scene may be from: the end of ablation, before the first lasting snow.

    It may go over the turn of the year, as an austral summer does.
    """

    first: MonthDay
    last: MonthDay

    def holds(self, day: dt.date) -> bool:
        """Return whether `day` lies in the season."""
        month_day = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= month_day <= self.last
        return month_day >= self.first or month_day <= self.last


class ChoiceParams(_Section):
    """Choice among a year's candidates. Scenes of one day and orbit are one candidate: its tiles are merged."""

    scenes_per_year: Annotated[int, Field(ge=1, le=20, description="dates taken in any case")] = 1
    fill_above: Annotated[
        Share, Field(description="share of the outlines unseen beyond which the next date fills the gaps")
    ] = 0.05
    fill_gain_min: Annotated[Share, Field(description="share of the outlines that a further date must add")] = 0.01
    unseen_max: Annotated[
        Share, Field(description="share of the outlines that may stay unseen; beyond it the year is missing")
    ] = 0.3
    off_glacier_snow_max: Annotated[
        Share, Field(description="snow on the visible ground around the outlines; a date beyond it is not taken")
    ] = 1.0
    snow_buffer_m: Annotated[
        float, Field(gt=0, description="distance around the outlines within which snow is measured")
    ] = 2000.0
    snow_looks: Annotated[
        int,
        Field(
            ge=1,
            description="number of dates per year, the clearest, whose snow is measured; others are not ranked",
        ),
    ] = 6
    orbit_penalty: Annotated[
        float, Field(ge=0, le=1, description="added to the score off the series' one relative orbit")
    ] = 0.1
    leave_out: Annotated[list[str], Field(description="ids of scenes never to take")] = []


class IngestParams(_Section):
    """Source of imagery, outlines and AOI."""

    source: Literal["raster", "safe", "stac", "twin"]
    raster: RasterSourceParams = RasterSourceParams(scenes=[])
    safe: SafeSourceParams | None = None
    stac: StacSourceParams | None = None
    twin: TwinParams = TwinParams()
    outlines: Annotated[FileParams | None, Field(description="not for the twin, which makes its own")] = None
    aoi: FileParams | BoxParams
    auxiliary: AuxiliaryParams = AuxiliaryParams()
    season: Annotated[SeasonParams | None, Field(description="None: any day; a listed raster is always taken")] = None
    year_starts: Annotated[
        MonthDay | Literal["by_latitude"],
        Field(
            description="first day of a year of the series, which is named by its end; by_latitude: 01-01 north of the "
            "equator, 07-01 south of it"
        ),
    ] = "by_latitude"
    choice: ChoiceParams = ChoiceParams()

    def file_paths(self) -> list[str]:
        """Return every path of a file or folder that the source needs, as it is written: variables not replaced."""
        files = [self.outlines, self.aoi, self.auxiliary.debris, self.auxiliary.flow_lines]
        paths = [file.path for file in files if isinstance(file, FileParams)]
        if self.source == "raster":
            paths += [path for scene in self.raster.scenes for path in (scene.path, scene.cloud_mask) if path]
        if self.source == "safe" and self.safe:
            paths.append(self.safe.folder)
        return paths + ([self.auxiliary.dem] if self.auxiliary.dem else [])
