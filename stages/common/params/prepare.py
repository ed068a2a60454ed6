"""The ``prepare`` part of ``params.yaml``: bands, masks of what hides the surface, and registration."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stages.common.params.section import Section

TERRAIN_BANDS = ("elevation", "slope", "curvature", "roughness", "height_above_valley")
"""Bands that `prepare` computes from the DEM; scenes do not have them."""


class CoregisterParams(Section):
    """Sub-pixel shift of each scene against the first training year's."""

    band: Annotated[str, Field(description="band that is compared; one of full resolution")] = "B04"
    min_shift_px: Annotated[
        float, Field(ge=0, description="smaller shifts are left as they are: resampling blurs, and 0.1 is the accuracy")
    ] = 0.1
    max_shift_px: Annotated[
        float, Field(gt=0, le=10, description="larger shifts are left as they are: something else is wrong")
    ] = 1.5


class PrepareParams(Section):
    """Pixels of the prepared scenes, and which of them count as observed."""

    bands: Annotated[list[str], Field(min_length=1, description="bands of the prepared scene, in their order")]
    storage: Annotated[
        Literal["sentinel2", "rgb8"],
        Field(description="sentinel2: uint16 DN, scale 1e-4, offset -0.1, nodata 0; rgb8: uint8 as it is"),
    ]
    scl_invalid: Annotated[
        tuple[Literal[0, 1, 3, 7, 8, 9, 10], ...],
        Field(description="Sentinel-2 scene classes that count as not observed; 7 is unclassified, often thin cloud"),
    ] = (0, 1, 3, 8, 9, 10)
    keep_saturated_snow: Annotated[
        bool, Field(description="class 1, saturated or defective, counts as observed where the pixel is bright as snow")
    ] = True

    passes: Annotated[
        Literal["merge", "separate"],
        Field(
            description="separate: scenes of another day or orbit are mapped on their own, the year by their majority"
        ),
    ] = "merge"

    trusted_offsets: Annotated[
        tuple[str, ...],
        Field(description="ids of scenes whose offset an expert answers for, though pixels or baseline contradict it"),
    ] = ()

    coregister: Annotated[
        CoregisterParams | None, Field(description="{} for the defaults; null: scenes lie as they are delivered")
    ] = None

    @property
    def imagery_bands(self) -> list[str]:
        """Bands that come from the scenes; the others are of `TERRAIN_BANDS`."""
        return [name for name in self.bands if name not in TERRAIN_BANDS]

    @model_validator(mode="after")
    def _bands_fit(self) -> Self:
        if len(set(self.bands)) != len(self.bands):
            raise ValueError(f"a band is named twice: {self.bands}")
        if not self.imagery_bands:
            raise ValueError(f"bands name no band of a scene: {self.bands}")
        if self.storage == "rgb8" and (self.coregister or self.bands != self.imagery_bands):
            raise ValueError(f"coregister and the bands {', '.join(TERRAIN_BANDS)} need storage sentinel2")
        if self.coregister and self.coregister.band not in self.imagery_bands:
            raise ValueError(f"coregister.band {self.coregister.band} is not among bands")
        return self
