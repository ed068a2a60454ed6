"""Ground that each glacier lost and gained from the first year to the last, for the table and the map."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.display.phrases import NEAR_NO_OUTLINE
from stages.common.display.rounding import DECIMALS_WITHOUT_SIGMA
from stages.common.tables.area import ChangeRow
from stages.common.tables.labels import UNASSIGNED
from stages.report.numbers import Number, plain_number, signed_number


@dataclass(frozen=True, kw_only=True)
class ChangeLine:
    """One line of the table; areas in km2."""

    rgi_id: str
    name: str | None
    lost: Number
    gained: Number
    net: Number
    unchanged: Number
    unseen: Number


def change_lines(rows: list[ChangeRow]) -> list[ChangeLine]:
    """Return the lines of all glaciers, the glacier that changed most first."""
    return [_line(row) for row in sorted(rows, key=lambda row: (-(row.lost_km2 + row.gained_km2), row.rgi_id))]


def change_total(rows: list[ChangeRow]) -> ChangeLine | None:
    """Sum over all glaciers and the ice near no outline; None without rows."""
    if not rows:
        return None
    return _line(
        ChangeRow(
            from_year=rows[0].from_year,
            year=rows[0].year,
            rgi_id="all",
            lost_km2=sum(row.lost_km2 for row in rows),
            gained_km2=sum(row.gained_km2 for row in rows),
            unchanged_km2=sum(row.unchanged_km2 for row in rows),
            unseen_km2=sum(row.unseen_km2 for row in rows),
        )
    )


def _line(row: ChangeRow) -> ChangeLine:
    digits = DECIMALS_WITHOUT_SIGMA
    return ChangeLine(
        rgi_id=NEAR_NO_OUTLINE if row.rgi_id == UNASSIGNED else row.rgi_id,
        name=row.glac_name,
        lost=plain_number(row.lost_km2, digits),
        gained=plain_number(row.gained_km2, digits),
        net=signed_number(row.gained_km2 - row.lost_km2, digits),
        unchanged=plain_number(row.unchanged_km2, digits),
        unseen=plain_number(row.unseen_km2, digits),
    )
