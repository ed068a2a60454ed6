"""The gate on the pixels that came in: a model says nothing of what it has never seen the like of."""

from __future__ import annotations

from collections.abc import Sequence

from stages.common.tables.area import GateFinding
from stages.common.tables.drift import Drift, DriftRow

GATE = "input_drift"


def input_drift(drifts: Sequence[Drift], *, maximum: float) -> GateFinding:
    """No year's pixels are distributed unlike the training pixels, in any band.

    Parameters
    ----------
    drifts
        One a year; those that compared nothing are left out.
    maximum
        Of the population stability index.
    """
    known = [(one.year, worst) for one in drifts if (worst := one.worst) is not None]
    if not known:
        return GateFinding(gate=GATE, passed=True, message="no year's pixels could be compared with the training's")
    year, worst = max(known, key=lambda one: one[1].psi)
    far = [year for year, one in known if one.psi > maximum]
    message = (
        f"pixels differ from the training pixels by at most {worst.psi:.2f} (stability index; {worst.band} in {year}); "
        f"bound {maximum:g}"
    )
    if far:
        years = ", ".join(map(str, far))
        message += f": drifted too far in {years}: is an offset or a unit wrong, or is the sensor another?"
    return GateFinding(gate=GATE, passed=not far, message=message)


def drift_rows(drifts: Sequence[Drift]) -> list[DriftRow]:
    """A row a year and band; a row with the reason for a year that compared nothing."""
    return [
        row
        for one in drifts
        for row in [
            *(DriftRow(year=one.year, **band.model_dump()) for band in one.bands),
            *([] if one.bands else [DriftRow(year=one.year, reason=one.reason)]),
        ]
    ]
