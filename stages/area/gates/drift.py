"""Judge the input pixels: a map cannot be trusted where they are unlike all pixels that the model was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from stages.common.tables.area import GateFinding
from stages.common.tables.drift import Drift, DriftRow

GATE = "input_drift"


def input_drift(drifts: Sequence[Drift], *, maximum: float) -> GateFinding:
    """Judge whether any year's pixels are distributed unlike the training pixels, as an offset or a unit makes them.

    A snowy year is unlike the training too. It leaves the darkest pixels where they are, at least in a band; what an
    offset or a unit does wrong moves those of all bands the same way. Years without such numbers (results of an earlier
    version) are judged by the index alone.

    Parameters
    ----------
    drifts
        One per year; years in which nothing was compared are left out.
    maximum
        Largest population stability index that passes.
    """
    compared = [(drift, worst) for drift in drifts if (worst := drift.worst) is not None]
    if not compared:
        return GateFinding(gate=GATE, passed=True, message="no year's pixels could be compared with the training's")
    drift, worst = max(compared, key=lambda entry: entry[1].psi)
    unlike = [drift for drift, band in compared if band.psi > maximum]
    wrong = [drift for drift in unlike if drift.floor_shift or drift.bands[0].darkest_share is None]
    message = (
        f"pixels differ from the training pixels by at most {worst.psi:.2f} (stability index; {worst.band} in "
        f"{drift.year}); bound {maximum:g}"
    )
    if others := [drift for drift in unlike if drift not in wrong]:
        message += f"; in {_years(others)} the darkest pixels are as dark as ever: look for snow there"
    if wrong:
        message += f": drifted too far in {_years(wrong)}: is an offset or a unit wrong, or is the sensor another?"
    return GateFinding(gate=GATE, passed=not wrong, message=message)


def _years(drifts: Sequence[Drift]) -> str:
    return ", ".join(str(drift.year) for drift in drifts)


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
