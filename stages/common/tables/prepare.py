"""Documents of `prepare`: the sources of a year's scene, and its passes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.tables.base import Fraction, NotNegative, Record


class SceneClasses(Record):
    """Shares of the grid in the Sentinel-2 scene classes of one acquisition, where it has data."""

    fractions: Annotated[dict[str, Fraction], Field(description="fraction of each class that occurs, 1 to 11")]
    dark_pixels: Annotated[
        Literal["dark area", "cast shadow"] | None,
        Field(description="meaning of class 2 in that processing baseline; such pixels count as observed"),
    ]
    saturated_snow_kept_fraction: Annotated[
        Fraction, Field(description="fraction of class 1 that is bright as snow and counts as observed")
    ]


OffsetMethod = Literal["snow in SWIR", "snow by colour", "visible floor", "dark pixels"]
"""B11 and B12 where the scene classes are snow or ice, or where green is far above them; else the darkest pixels of the
visible bands, or of red and infrared where scattered light makes blue and green too bright or too dark."""


class OffsetProof(Record):
    """Check of the offset by the pixels of an acquisition; pixels that contradict it are refused."""

    method: Annotated[
        OffsetMethod | None,
        Field(
            description="B11 and B12 of classified snow, or of pixels whose green is far above them; else the darkest "
            "pixels: visible, or red and infrared"
        ),
    ]
    verdict: Annotated[
        Literal["proven", "plausible", "not proven", "left in", "subtracted twice", "unlike its baseline"],
        Field(
            description="plausible: by the weaker test of dark pixels; not proven: too few pixels, or no clear answer; "
            "the last three: only of scenes that prepare.trusted_offsets names"
        ),
    ]
    pixels: Annotated[int, Field(ge=0)]
    below_offset_fraction: Annotated[
        dict[str, Fraction], Field(description="fraction with reflectance below the product's offset, by band")
    ]
    negative_fraction: Annotated[dict[str, Fraction], Field(description="fraction with reflectance below 0, by band")]


class Registration(Record):
    """Shift of an acquisition against the reference year's, measured on stable terrain; pixels of the grid."""

    reference: Annotated[list[str], Field(description="scenes that it was compared with")]
    verdict: Annotated[
        Literal["reference", "corrected", "small", "too large", "unknown"],
        Field(description="small, too large: left as it is; unknown: too few tiles, or tiles that disagree"),
    ]
    east_px: float | None = None
    south_px: float | None = None
    residual_px: Annotated[NotNegative | None, Field(description="shift that remains in scene.tif")] = None
    tiles: Annotated[int | None, Field(ge=0)] = None
    spread_px: Annotated[NotNegative | None, Field(description="robust standard deviation over tiles")] = None


class SceneSource(Record):
    """One acquisition of a year's scene."""

    id: str
    date: Annotated[str | None, Field(description="ISO day of acquisition; null where only the year is known")]
    product: Annotated[str, Field(description="file name or product URI")]
    platform: str | None = None
    processing_level: str | None = None
    processing_baseline: str | None = None
    relative_orbit: int | None = None
    tile: str | None = None
    sun_elevation_deg: float | None = None
    sun_azimuth_deg: float | None = None
    scale: float
    offset: float
    filled_fraction: Annotated[Fraction, Field(description="share of the grid this scene fills")]
    scene_classes: SceneClasses | None = None
    offset_proof: Annotated[OffsetProof | None, Field(description="null: 8-bit RGB, no reflectance")] = None
    registration: Annotated[Registration | None, Field(description="null: prepare.coregister is not set")] = None


class Provenance(Record):
    """artifacts/prepare/<year>/provenance.json."""

    year: int
    date: str | None
    storage: Literal["sentinel2", "rgb8"]
    bands: list[str]
    grid: str
    sources: Annotated[list[SceneSource], Field(min_length=1)]
    valid_fraction: Fraction
    outside_fraction: Annotated[Fraction, Field(description="fraction without a scene or without data")]
    cloud_fraction: Fraction
    clipped_pixels: Annotated[int, Field(ge=0, description="values beyond what the storage holds")]


class Pass(Record):
    """Acquisitions of one day from one orbit."""

    number: Annotated[int, Field(ge=1, description="number and name of the folder; 1 is the best")]
    date: Annotated[str | None, Field(description="null: days are not known, and such scenes are one pass")]
    relative_orbit: int | None
    scene_ids: Annotated[list[str], Field(min_length=1)]
    valid_fraction: Annotated[Fraction, Field(description="of the grid's pixels")]


class Passes(Record):
    """artifacts/prepare/<year>/passes.json; absent where a year has one pass, or they are merged."""

    year: int
    passes: Annotated[list[Pass], Field(min_length=2)]
