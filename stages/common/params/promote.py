"""The ``promote`` part of ``params.yaml``: what a model must show before it becomes champion. No stage reads it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stages.common.params.section import Fraction, Positive, Section


class PromoteParams(Section):
    """Bounds of a promotion (``make promote``)."""

    iou_margin: Annotated[
        Fraction, Field(description="how far below the champion's pooled IoU: ten times what two seeds differ by")
    ] = 0.01
    slice_margin: Annotated[
        Fraction, Field(description="the same on one slice: two seeds differ by up to 0.04 on a fold (README.md)")
    ] = 0.04
    slice_km2_min: Annotated[
        Positive, Field(description="a slice with less labelled ice decides nothing: a few blocks, mostly edge")
    ] = 1.0
    iou_over_baselines_min: Annotated[
        float, Field(ge=-1, le=1, description="above the best baseline; below it a threshold would do")
    ] = 0.0
    onnx_difference_max: Annotated[
        Positive, Field(description="Keras against ONNX Runtime: rounding of float32 over a network's depth")
    ] = 1e-5
    area_bias_pct_max: Annotated[
        Positive, Field(description="absolute; beyond twice what analysts differ by, 3-5 % (Paul et al. 2013)")
    ] = 10.0
    calibration_error_max: Annotated[
        Fraction, Field(description="expected calibration error; a probability further off gives no interval")
    ] = 0.1
