"""The ``area`` and ``gates`` parts of ``params.yaml``: what is made of the maps, and what cannot be true."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.common.section import Fraction, Positive, Section


class AreaParams(Section):
    """Mask to area."""

    min_polygon_area_m2: Annotated[float, Field(ge=0, description="RGI's smallest glacier is 10,000 m2")] = 1e4
    boundary_buffer_px: Annotated[
        float, Field(gt=0, le=5, description="half a pixel for clean ice, one for debris (Paul et al. 2013)")
    ] = 1.0
    common_valid_fraction_min: Annotated[
        Fraction, Field(description="a year below it is left out of the common area, and named")
    ] = 0.8
    assign_distance_m: Annotated[
        float, Field(ge=0, description="ice this near an outline is counted to that glacier")
    ] = 500.0


class GatesParams(Section):
    """Bounds beyond which a number cannot be true; a breach fails the run with exit 1."""

    aoi_to_outlines_ratio_min: Positive = 1.5
    glacier_fraction_of_aoi_max: Fraction = 0.9
    area_to_outlines_ratio: tuple[Positive, Positive] = (0.5, 1.5)
    annual_change_pct_max: Positive = 5.0
    baseline_step_pct_max: Positive = 5.0
    valid_fraction_min: Fraction = 0.8
    missing_years_max: Annotated[int, Field(ge=0)] = 0
    iou_over_baseline_min: Annotated[float, Field(ge=-1, le=1)] = 0.0
