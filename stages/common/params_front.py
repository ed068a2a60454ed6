"""Parts of ``area`` in ``params.yaml``: clean and debris-covered ice, and the ice front."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.common.section import Fraction, Positive, Section


class SurfaceParams(Section):
    """Clean and debris-covered ice within the mapped glacier."""

    clean_ratio_min: Annotated[
        float, Field(gt=1, le=5, description="red / short-wave infrared from which ice is clean")
    ] = 2.0
    off_glacier_snow_max: Annotated[
        Fraction, Field(description="snow on the ground seen off the glaciers; beyond it snow hides the debris too")
    ] = 0.3


class TerminusParams(Section):
    """Position of the ice front along a flow line."""

    min_glacier_km2: Annotated[float, Field(ge=0, description="smaller outlines have no front worth a position")] = 1.0
    extension_m: Annotated[
        float, Field(ge=0, description="the flow line goes on beyond the outline, so that an advance is measured")
    ] = 500.0
    corridor_m: Annotated[Positive, Field(description="whole width about the flow line; at least three pixels")] = 100.0
    box_width_m: Annotated[Positive, Field(description="of the box method; narrower than the tongue")] = 300.0
    box_upstream_m: Annotated[Positive, Field(description="from the hindmost front up to the box's fixed edge")] = 500.0
    registration_px: Annotated[
        float, Field(ge=0, description="error of a scene's place where its shift was not measured, one sigma")
    ] = 0.5
