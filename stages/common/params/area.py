"""The ``area`` and ``gates`` parts of ``params.yaml``: areas from maps, and bounds beyond which they cannot be true."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stages.common.params.section import Fraction, Positive, Section

GateName = Literal[
    "aoi_to_outlines_ratio",
    "glacier_fraction_of_aoi",
    "area_to_outlines_ratio",
    "outside_outlines",
    "lasting_outside",
    "annual_change",
    "baseline_step",
    "trend",
    "sigma",
    "missing_years",
    "valid_fraction",
    "input_drift",
    "iou_over_old_outline",
    "iou_over_baseline",
]
"""Names of all gates, on the areas and on the model, as in ``gates.json`` and ``gates.override``."""


DRIFT_PCT_PER_YEAR, GAIN_SIGMA = 0.061, 0.15
"""Drift of the shared error and spread of mapped over true change on new terrain (`python -m bench.transfer`)."""


class SurfaceParams(Section):
    """Clean and debris-covered ice within the mapped glacier."""

    clean_ratio_min: Annotated[
        float, Field(gt=1, le=5, description="red / short-wave infrared from which ice is clean")
    ] = 2.0
    off_glacier_snow_max: Annotated[
        Fraction,
        Field(description="part of the ground off the glaciers under snow; beyond it snow hides the debris, too"),
    ] = 0.3


class FrontParams(Section):
    """Position of the ice front along a flow line."""

    min_glacier_km2: Annotated[float, Field(ge=0, description="smaller outlines have no front worth a position")] = 1.0
    extension_m: Annotated[
        float, Field(ge=0, description="the flow line goes on beyond the outline, so that an advance is measured")
    ] = 500.0
    corridor_m: Annotated[
        Positive, Field(description="whole width of the corridor along the flow line; at least three pixels")
    ] = 100.0
    box_width_m: Annotated[
        Positive, Field(description="width of the box of the box method; narrower than the tongue")
    ] = 300.0
    box_upstream_m: Annotated[
        Positive, Field(description="distance from the hindmost front upwards to the box's fixed edge")
    ] = 500.0
    registration_px: Annotated[
        float, Field(ge=0, description="error of a scene's place where its shift was not measured, one sigma")
    ] = 0.5


class ChangeParams(Section):
    """The change product: the ground where glaciers can change, and the years that its trend rests on."""

    margin_m: Annotated[
        float, Field(ge=0, description="ground around the outlines that counts anywhere; at least a pixel")
    ] = 30.0
    growth_height_fraction: Annotated[
        Fraction,
        Field(description="beyond the margin, ground near a glacier counts below this part of the glacier's heights"),
    ] = 0.75
    high_margin_m: Annotated[
        float,
        Field(ge=0, description="higher ground within this and area.assign_distance_m counts too where its ice grows"),
    ] = 250.0
    control_excess_max: Annotated[
        Fraction,
        Field(description="ice where no glacier can be, above that of the median year, in parts of the outlines' area"),
    ] = 0.005
    shared_drift_pct_per_year: Annotated[
        float, Field(ge=0, le=10, description="drift of the error that all years share, one sigma, % of the ice")
    ] = DRIFT_PCT_PER_YEAR
    gain_sigma: Annotated[
        float, Field(ge=0, le=0.3, description="spread of mapped over true change between terrains, one sigma")
    ] = GAIN_SIGMA


class AreaParams(Section):
    """Mask to area."""

    outlines: Annotated[
        Literal["fused", "image"],
        Field(
            description="map that areas and outlines are of: image and the inventory's outline together, or the image "
            "alone; change, trends and fronts always rest on images alone"
        ),
    ] = "fused"
    min_polygon_area_m2: Annotated[float, Field(ge=0, description="RGI's smallest glacier is 10,000 m2")] = 1e4
    boundary_buffer_px: Annotated[
        float,
        Field(
            gt=0,
            le=5,
            description="width of the buffer at debris-covered ice and unknown surface (Paul et al. 2013)",
        ),
    ] = 1.0
    clean_boundary_buffer_px: Annotated[
        float, Field(gt=0, le=5, description="width of the buffer at clean ice (Paul et al. 2013, 2017)")
    ] = 0.5
    interval_factors: Annotated[
        tuple[Positive, Positive] | None,
        Field(
            description="multiples of the model's sigma for 68 and 95 %, from a cross-validation or a larger "
            "calibration; null: those in the model's metadata"
        ),
    ] = None
    correlation_between_years: Annotated[
        float,
        Field(
            ge=0,
            lt=1,
            description="rho of the errors of two years; 0 is the cautious choice",
        ),
    ] = 0.0
    trend_glacier_km2_min: Annotated[
        float,
        Field(
            ge=0,
            description="smaller glaciers get no trend of their own: they are few pixels, and each hopeless test "
            "takes power from the others",
        ),
    ] = 0.1
    common_valid_fraction_min: Annotated[
        Fraction,
        Field(
            description="years and outlines with a lower observed fraction are left out of the common area, and named"
        ),
    ] = 0.8
    assign_distance_m: Annotated[
        float, Field(ge=0, description="ice within this distance of an outline counts to that glacier")
    ] = 500.0
    surface: SurfaceParams = SurfaceParams()
    terminus: FrontParams = FrontParams()
    change: ChangeParams = ChangeParams()

    @model_validator(mode="after")
    def _wider_at_95(self) -> Self:
        if self.interval_factors and self.interval_factors[0] > self.interval_factors[1]:
            raise ValueError(f"interval_factors: the factor for 68 % is above that for 95 %: {self.interval_factors}")
        return self


class GatesParams(Section):
    """Bounds beyond which a number cannot be true; a breach fails the run with exit 1."""

    aoi_to_outlines_ratio_min: Positive = 1.5
    glacier_fraction_of_aoi_max: Fraction = 0.9
    area_to_outlines_ratio: tuple[Positive, Positive] = (0.5, 1.5)
    outside_outlines_fraction_max: Annotated[
        Fraction,
        Field(description="fraction of a year's mapped ice far from any outline: beyond a tenth of a glacier's size"),
    ] = 0.1
    lasting_outside_fraction_max: Annotated[
        Fraction,
        Field(description="ice far from any outline that is mapped in nearly every year, part of the outlines"),
    ] = 0.05
    annual_change_pct_max: Positive = 5.0
    baseline_step_pct_max: Positive = 5.0
    trend_pct_max: Annotated[Positive, Field(description="trend in per cent of the first year's area per year")] = 1.0
    sigma_pct_max: Annotated[Positive, Field(description="one sigma in per cent of the area")] = 20.0
    valid_fraction_min: Fraction = 0.8
    missing_years_max: Annotated[int, Field(ge=0)] = 0
    drift_psi_max: Annotated[
        float,
        Field(gt=0, description="stability index of a year's pixels: 0.45 a first early-snow year, 1.5 a wrong offset"),
    ] = 1.0
    iou_over_baseline_min: Annotated[float, Field(ge=-1, le=1)] = 0.0
    iou_over_old_outline_min: Annotated[
        float | None,
        Field(
            ge=-1,
            le=1,
            description="least gain in IoU of the yearly outlines over the old outline, where the truth is known",
        ),
    ] = None
    override: Annotated[
        tuple[GateName, ...],
        Field(description="gates that an expert lets pass; the report says so in red beside the numbers"),
    ] = ()
