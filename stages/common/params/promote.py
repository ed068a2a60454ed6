"""The ``promote`` part of ``params.yaml``: bounds that a challenger must keep to become champion. No stage reads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.common.params.section import Fraction, Positive, Section


class PromoteParams(Section):
    """Bounds of a promotion (``make promote``)."""

    iou_margin: Annotated[
        Fraction,
        Field(description="accepted loss of pooled IoU against the champion: ten times the difference of two seeds"),
    ] = 0.01
    slice_margin: Annotated[
        Fraction, Field(description="accepted loss on one slice: two seeds differ by up to 0.04 on a fold")
    ] = 0.04
    slice_km2_min: Annotated[
        Positive, Field(description="least labelled ice of a slice that counts: less is a few blocks, mostly edge")
    ] = 1.0
    iou_over_baselines_min: Annotated[
        float,
        Field(ge=-1, le=1, description="least gain of IoU over the better baseline; below it a threshold would do"),
    ] = 0.0
    onnx_difference_max: Annotated[
        Positive,
        Field(description="largest difference of Keras and ONNX Runtime: rounding of float32 over a network's depth"),
    ] = 1e-5
    area_bias_pct_max: Annotated[
        Positive,
        Field(description="largest absolute bias of the area: twice what analysts differ by, 3-5 % (Paul et al. 2013)"),
    ] = 10.0
    calibration_error_max: Annotated[
        Fraction,
        Field(description="largest expected calibration error; a probability that is further off gives no interval"),
    ] = 0.1
