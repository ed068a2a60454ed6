"""The table of leave-one-site-out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated

from pydantic import Field

from stages.common.tables.base import Fraction, Record
from versions.across_sites.scoring import SiteScore


class ScoreRow(Record):
    """One site that was left out; IoU and debris recall are shares, the error of the area is mapped less labelled."""

    left_out: str
    learned_from: Annotated[int, Field(description="number of other sites")]
    validated_on: str
    against: str
    iou: Fraction
    area_error_pct: float | None = None
    debris_recall: Fraction | None = None
    outline_iou: Annotated[Fraction | None, Field(description="IoU of the old outline as the map")] = None

    @classmethod
    def of(cls, left_out: Path, others: Sequence[Path], score: SiteScore) -> ScoreRow:
        """Return the row of a site."""
        return cls(
            left_out=left_out.resolve().name,
            learned_from=len(others),
            validated_on=others[0].resolve().name,
            against=score.against,
            iou=round(score.iou, 4),
            area_error_pct=_rounded(score.area_error_pct, 2),
            debris_recall=_rounded(score.debris_recall),
            outline_iou=_rounded(score.outline_iou),
        )


def mean_row(rows: Sequence[ScoreRow]) -> ScoreRow:
    """Return the mean over the sites; of the area's error that of its size."""
    return ScoreRow(
        left_out="mean (area: of the size)",
        learned_from=rows[0].learned_from,
        validated_on="",
        against="",
        iou=round(fmean(row.iou for row in rows), 4),
        area_error_pct=_mean([row.area_error_pct and abs(row.area_error_pct) for row in rows], 2),
        debris_recall=_mean([row.debris_recall for row in rows], 4),
        outline_iou=_mean([row.outline_iou for row in rows], 4),
    )


def print_rows(rows: Sequence[ScoreRow]) -> None:
    """Print the rows as a table in Markdown."""
    names = list(ScoreRow.model_fields)
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join('' if value is None else str(value) for value in row.model_dump().values())} |")


def _mean(values: Sequence[float | None], digits: int) -> float | None:
    numbers = [value for value in values if value is not None]
    return _rounded(fmean(numbers) if numbers else None, digits)


def _rounded(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)
