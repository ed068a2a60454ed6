"""Lost and gained ground of each glacier, from the first year to the last."""

from __future__ import annotations

from dataclasses import dataclass

from stages.common.tables.area import ChangeRow
from stages.report.numbers import Number, number, signed
from stages.report.page.glacier_table import NO_GLACIER
from stages.report.rounding import DECIMALS_WITHOUT_SIGMA

LARGEST = 8


@dataclass(frozen=True, kw_only=True)
class ChangeLine:
    """One line; km2."""

    rgi_id: str
    name: str | None
    lost: Number
    gained: Number
    net: Number
    unchanged: Number
    unseen: Number


def change_lines(rows: list[ChangeRow]) -> list[ChangeLine]:
    """All glaciers, the one that most changed in first."""
    return [_line(row) for row in sorted(rows, key=lambda row: (-(row.lost_km2 + row.gained_km2), row.rgi_id))]


def change_total(rows: list[ChangeRow]) -> ChangeLine | None:
    """The sum over all glaciers and the ice near none; None without rows."""
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
        rgi_id="near no outline" if row.rgi_id == NO_GLACIER else row.rgi_id,
        name=row.glac_name,
        lost=number(row.lost_km2, digits),
        gained=number(row.gained_km2, digits),
        net=signed(row.gained_km2 - row.lost_km2, digits),
        unchanged=number(row.unchanged_km2, digits),
        unseen=number(row.unseen_km2, digits),
    )
