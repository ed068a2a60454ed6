"""The ``ingest`` part of ``params.yaml``: where imagery and outlines come from. Read by no stage of the DAG."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileParams(_Section):
    """A vector file. ``${NAME}`` in a path is replaced by the environment variable of that name."""

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
    bands: Annotated[list[str], Field(min_length=1, description="names of the file's bands, in order")]
    scale: Annotated[float, Field(gt=0, description="reflectance = DN x scale + offset; 8-bit RGB: 1")] = 1.0
    offset: float = 0.0
    nodata: Annotated[float | None, Field(description="overrides what the file says")] = None
    processing_level: Literal["L1C", "L2A", "L1TP", "L2SP"] | None = None
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
        if self.date is not None and self.year is not None and self.date.year != self.year:
            raise ValueError(f"year {self.year} is not the year of date {self.date}")
        if len(set(self.bands)) != len(self.bands):
            raise ValueError(f"a band is named twice: {self.bands}")
        return self

    @property
    def acquired(self) -> dt.date | None:
        """Day of acquisition, or None where only the year is known."""
        return self.date

    @property
    def of_year(self) -> int:
        """Year the scene stands for."""
        return self.date.year if self.date else int(self.year or 0)


class RasterSourceParams(_Section):
    """Source ``raster``: GeoTIFFs on this machine."""

    scenes: list[RasterSceneParams]


class AuxiliaryParams(_Section):
    """Optional inputs."""

    dem: Annotated[str | None, Field(description="elevation in metres")] = None


class IngestParams(_Section):
    """Source of imagery, outlines and AOI."""

    source: Literal["raster"]
    raster: RasterSourceParams
    outlines: FileParams
    aoi: FileParams | BoxParams
    auxiliary: AuxiliaryParams = AuxiliaryParams()
