"""Area of each glacier by year: the largest by name, the rest as one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stages.common.tables.area import GlacierAreaRow
from stages.common.tables.evaluate import GlacierScoreRow
from stages.report.numbers import Number, number, optional
from stages.report.rounding import DECIMALS_WITHOUT_SIGMA

LARGEST = 15
NO_GLACIER = "unassigned"
"""`rgi_id` of ice near no outline."""


@dataclass(frozen=True, kw_only=True)
class GlacierCell:
    """One year, km2."""

    area: Number
    half: Number | None
    """Half of the 68 % interval, where one is known: the upper half, as the lower one stops at no ice."""
    unseen: Number | None
    """Part of the outline not seen, where that is not nothing."""


@dataclass(frozen=True, kw_only=True)
class GlacierLine:
    """One line of the table."""

    rgi_id: str
    name: str | None
    outline: Number
    """Prior outline in the AOI, km2."""
    areas: list[GlacierCell | None]
    """By year; None: no row."""


def glacier_table(rows: Iterable[GlacierAreaRow], years: Sequence[int]) -> list[GlacierLine]:
    """The largest glaciers of the last year, then the others summed, then ice near no outline."""
    by_id: dict[str, dict[int, GlacierAreaRow]] = {}
    for row in rows:
        by_id.setdefault(row.rgi_id, {})[row.year] = row
    unassigned = by_id.pop(NO_GLACIER, None)
    ordered = sorted(by_id, key=lambda one: (-_last_area(by_id[one], years), one))
    lines = [_line(one, by_id[one], years) for one in ordered[:LARGEST]]
    if rest := [by_id[one] for one in ordered[LARGEST:]]:
        summed = {year: _sum(year, [one[year] for one in rest if year in one]) for year in years}
        lines.append(_line(f"{len(rest)} smaller glaciers", summed, years))
    return lines + ([_line(NO_GLACIER, unassigned, years)] if unassigned else [])


def held_out_rows(scores: Iterable[GlacierScoreRow]) -> list[tuple[GlacierScoreRow, list[Number | None]]]:
    """Glaciers with held-out ice, most first.

    Area in km2, held-out share in %, IoU, F1, precision, recall, area bias in %, boundary distance in m.
    """
    tested = sorted((one for one in scores if one.held_out_km2 > 0), key=lambda one: (-one.held_out_km2, one.rgi_id))
    return [
        (
            one,
            [
                number(one.held_out_km2, DECIMALS_WITHOUT_SIGMA),
                number(100 * one.held_out_fraction, 0),
                optional(one.iou, 2),
                optional(one.f1, 2),
                optional(one.precision, 2),
                optional(one.recall, 2),
                optional(one.area_bias_pct, 0),
                optional(one.boundary_distance_m, 0),
            ],
        )
        for one in tested
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
    outline = number(latest.outline_area_km2, DECIMALS_WITHOUT_SIGMA)
    return GlacierLine(rgi_id=rgi_id, name=latest.glac_name, outline=outline, areas=cells)


def _cell(row: GlacierAreaRow) -> GlacierCell:
    digits = DECIMALS_WITHOUT_SIGMA
    unseen = number(row.unseen_km2, digits)
    return GlacierCell(
        area=number(row.area_km2, digits),
        half=None if row.area_high_km2 is None else number(row.area_high_km2 - row.area_km2, digits),
        unseen=unseen if float(unseen.shown) > 0 else None,
    )
