"""Area and held-out scores of each glacier: the largest by name, the rest in one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stages.common.display.phrases import NEAR_NO_OUTLINE
from stages.common.display.rounding import DECIMALS_WITHOUT_SIGMA
from stages.common.tables.area import GlacierAreaRow
from stages.common.tables.evaluate import GlacierScoreRow
from stages.common.tables.labels import UNASSIGNED
from stages.report.numbers import Number, optional_number, plain_number

NAMED_GLACIERS = 15
"""The largest glaciers have a line each; the others are summed in one."""


@dataclass(frozen=True, kw_only=True)
class GlacierCell:
    """Area of a glacier in one year, km2."""

    area: Number
    upper_half: Number | None
    """Upper half of the 68 % interval, as the lower half stops at zero ice; None where no interval exists."""
    unseen: Number | None
    """Unseen part of the outline; None where it rounds to zero."""


@dataclass(frozen=True, kw_only=True)
class GlacierLine:
    """One line of the table."""

    rgi_id: str
    name: str | None
    outline: Number
    """Area of the prior outline inside the AOI, km2."""
    areas: list[GlacierCell | None]
    """Area of each year; None for a year without a row."""


def glacier_table(rows: Iterable[GlacierAreaRow], years: Sequence[int]) -> list[GlacierLine]:
    """Return the largest glaciers of the last year, then the sum of the others, then the ice near no outline."""
    by_id: dict[str, dict[int, GlacierAreaRow]] = {}
    for row in rows:
        by_id.setdefault(row.rgi_id, {})[row.year] = row
    unassigned = by_id.pop(UNASSIGNED, None)
    ordered = sorted(by_id, key=lambda rgi_id: (-_last_area(by_id[rgi_id], years), rgi_id))
    lines = [_line(rgi_id, by_id[rgi_id], years) for rgi_id in ordered[:NAMED_GLACIERS]]
    if smaller := [by_id[rgi_id] for rgi_id in ordered[NAMED_GLACIERS:]]:
        summed = {year: _sum(year, [by_year[year] for by_year in smaller if year in by_year]) for year in years}
        lines.append(_line(f"{len(smaller)} smaller glaciers", summed, years))
    return lines + ([_line(NEAR_NO_OUTLINE, unassigned, years)] if unassigned else [])


def held_out_rows(scores: Iterable[GlacierScoreRow]) -> list[tuple[GlacierScoreRow, list[Number | None]]]:
    """Return the glaciers with held-out ice and the cells of each, the largest held-out area first.

    A glacier whose held-out area rounds to 0.00 km2 is left out.
    Cells: held-out area in km2, held-out share in %, IoU, F1, precision, recall, area bias in %, boundary distance
    in metres.
    """
    shown_km2 = 0.5 * 10**-DECIMALS_WITHOUT_SIGMA
    tested = sorted(
        (row for row in scores if row.held_out_km2 >= shown_km2), key=lambda row: (-row.held_out_km2, row.rgi_id)
    )
    return [
        (
            row,
            [
                plain_number(row.held_out_km2, DECIMALS_WITHOUT_SIGMA),
                plain_number(100 * row.held_out_fraction, 0),
                optional_number(row.iou, 2),
                optional_number(row.f1, 2),
                optional_number(row.precision, 2),
                optional_number(row.recall, 2),
                optional_number(row.area_bias_pct, 0),
                optional_number(row.boundary_distance_m, 0),
            ],
        )
        for row in tested
    ]


def _last_area(rows: dict[int, GlacierAreaRow], years: Sequence[int]) -> float:
    last = rows.get(years[-1])
    return last.area_km2 if last else 0.0


def _sum(year: int, rows: Sequence[GlacierAreaRow]) -> GlacierAreaRow:
    return GlacierAreaRow(
        year=year,
        rgi_id="sum",
        area_km2=sum(row.area_km2 for row in rows),
        outline_area_km2=sum(row.outline_area_km2 for row in rows),
        unseen_km2=sum(row.unseen_km2 for row in rows),
    )


def _line(rgi_id: str, rows: dict[int, GlacierAreaRow], years: Sequence[int]) -> GlacierLine:
    latest = rows[max(rows)]
    cells = [_cell(rows[year]) if year in rows else None for year in years]
    outline = plain_number(latest.outline_area_km2, DECIMALS_WITHOUT_SIGMA)
    return GlacierLine(rgi_id=rgi_id, name=latest.glac_name, outline=outline, areas=cells)


def _cell(row: GlacierAreaRow) -> GlacierCell:
    digits = DECIMALS_WITHOUT_SIGMA
    unseen = plain_number(row.unseen_km2, digits)
    return GlacierCell(
        area=plain_number(row.area_km2, digits),
        upper_half=None if row.area_high_km2 is None else plain_number(row.area_high_km2 - row.area_km2, digits),
        unseen=unseen if float(unseen.text) > 0 else None,
    )
