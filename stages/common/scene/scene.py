"""A scene as the pipeline sees it: metadata, bands and masks of an acquisition. Plain data: no file is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from stages.common.geo.grid import Grid
from stages.common.types import AnyArray

CLOUD_MASK, SCL = "cloud_mask", "scl"
"""Keys of the assets that are not bands."""


@dataclass(frozen=True, kw_only=True)
class SceneInfo:
    """Metadata of an acquisition. None: not known."""

    id: str
    """Unique in the series; names the item's folder."""
    year: int
    """Year of the series that the acquisition stands for."""
    acquired: dt.date | dt.datetime | None
    """Day, or instant (UTC) where it is known."""
    product: str
    """File name or product URI; never a path."""
    platform: str | None = None
    processing_level: str | None = None
    """Processing level, such as ``L2A``."""
    processing_baseline: str | None = None
    """Processing baseline, such as ``05.09``."""
    relative_orbit: int | None = None
    tile: str | None = None
    """MGRS tile, such as ``44RLV``."""
    sun_elevation_deg: float | None = None
    sun_azimuth_deg: float | None = None
    convention: str | None = None
    """Meaning of the DN (`stages.common.scene.harmonise.Convention`); None: as stated with each band."""
    boa_offset_applied: bool | None = None
    """Flag of Earth Search, which only its convention uses."""

    @property
    def day(self) -> dt.date | None:
        """Day of acquisition."""
        return self.acquired.date() if isinstance(self.acquired, dt.datetime) else self.acquired


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One band, or a mask, on its way into storage."""

    name: str
    pixels: AnyArray
    """Pixels (H, W), the numbers of the source."""
    grid: Grid
    """Grid of the source, in any CRS; its pixels need not be square."""
    nodata: float | None
    scale: float = 1.0
    offset: float = 0.0
    """Reflectance = DN x scale + offset."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """One stored band."""

    path: Path
    dtype: str
    nodata: float | None
    """DN of pixels without data, tested before the offset; NaN is never data whatever this says."""
    scale: float
    offset: float
    """Reflectance = DN x scale + offset."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A stored acquisition."""

    info: SceneInfo
    bands: Mapping[str, Band] = field(default_factory=dict)
    """Stored bands by name."""
    cloud_mask: Path | None = None
    """Cloud mask: uint8 COG on a grid of its own, where any number but 0 is cloud."""
    scl: Path | None = None
    """Sentinel-2 scene classification, 0-11: uint8 COG on a grid of its own."""

    @property
    def files(self) -> list[Path]:
        """All COGs of the scene."""
        return [*(band.path for band in self.bands.values()), *(mask for mask in (self.cloud_mask, self.scl) if mask)]
