"""Judge the input pixels: a map cannot be trusted where they are unlike all pixels that the model was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from stages.common.tables.area import GateFinding
from stages.common.tables.drift import Drift, DriftRow

GATE = "input_drift"


def input_drift(drifts: Sequence[Drift], *, maximum: float) -> GateFinding:
    """Judge whether any year's pixels are distributed unlike the training pixels, in any band.

    Parameters
    ----------
    drifts
        One per year; years in which nothing was compared are left out.
    maximum
        Largest population stability index that passes.
    """
    worst_bands = [(drift.year, worst) for drift in drifts if (worst := drift.worst) is not None]
    if not worst_bands:
        return GateFinding(gate=GATE, passed=True, message="no year's pixels could be compared with the training's")
    year, worst = max(worst_bands, key=lambda entry: entry[1].psi)
    drifted_years = [year for year, band in worst_bands if band.psi > maximum]
    message = (
        f"pixels differ from the training pixels by at most {worst.psi:.2f} (stability index; {worst.band} in {year}); "
        f"bound {maximum:g}"
    )
    if drifted_years:
        years = ", ".join(map(str, drifted_years))
        message += f": drifted too far in {years}: is an offset or a unit wrong, or is the sensor another?"
    return GateFinding(gate=GATE, passed=not drifted_years, message=message)


def drift_rows(drifts: Sequence[Drift]) -> list[DriftRow]:
    """Return one row per year and band; for a year that compared nothing, one row with the reason."""
    return [
        row
        for drift in drifts
        for row in [
            *(DriftRow(year=drift.year, **band.model_dump()) for band in drift.bands),
            *([] if drift.bands else [DriftRow(year=drift.year, reason=drift.reason)]),
        ]
    ]
