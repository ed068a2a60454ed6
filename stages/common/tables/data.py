"""Documents and tables in ``data/``, as `ingest` writes them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stages.common.tables.base import Fraction, NotNegative, Record


class AuxiliaryManifest(Record):
    """data/auxiliary/manifest.json: file name of each optional input, or null."""

    dem: Literal["dem.tif"] | None = None
    debris: Literal["debris.gpkg"] | None = None
    flow_lines: Literal["flow_lines.gpkg"] | None = None


class SceneIndex(Record):
    """data/scenes/<year>/index.json."""

    year: int
    items: Annotated[list[str], Field(min_length=1, description="STAC item files in this folder")]


class SceneChoiceRow(Record):
    """One candidate of scene_choice.csv. Scores are of all tiles of its day and orbit together; null: not measured."""

    year: int
    id: Annotated[str | None, Field(description="null: the year has no candidate")] = None
    date: str | None = None
    tile: str | None = None
    relative_orbit: int | None = None
    processing_baseline: str | None = None
    product: str | None = None
    aoi_coverage: Annotated[Fraction | None, Field(description="share of the AOI with data")] = None
    cloud_over_glacier: Annotated[
        Fraction | None, Field(description="share of the outlines in the AOI under cloud, shadow or a bad pixel")
    ] = None
    unseen_glacier: Annotated[
        Fraction | None, Field(description="share of the outlines in the AOI that is hidden or without data")
    ] = None
    off_glacier_snow: Annotated[
        Fraction | None, Field(description="share of the visible ground around the outlines under snow")
    ] = None
    off_glacier_snow_km2: NotNegative | None = None
    on_series_orbit: bool | None = None
    score: Annotated[
        NotNegative | None, Field(description="sum of the shares without data, unseen and under snow; 0 is best")
    ] = None
    rank: Annotated[int | None, Field(ge=1, description="rank among the year's dates, 1 is the best")] = None
    taken: bool
    reason: str
