"""Review of a site by a person: ``data/auxiliary/review.yaml``, beside the outlines that the person corrected."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from stages.common.params.section import Year
from stages.common.tables.base import Record

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="of the mapped outlines that were looked at")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", description="UTC, ISO 8601")]
Person = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S", description="name of who looked")]
Comment = Annotated[str, Field(max_length=2000)]
Decision = Literal["accept", "reject"]

EDITED = "automatic with manual editing"
"""How GLIMS calls outlines that a model drew and a person corrected."""


class ReviewedYear(Record):
    """What a person decided on a year's map."""

    year: Year
    decision: Decision
    by: Person
    at: Moment
    maps: Sha256
    comment: Comment = ""


class ReviewNote(Record):
    """What a person said of a glacier, or of one mapped piece (longitude and latitude of a point in it), in a year."""

    year: Year
    rgi_id: Annotated[str, Field(min_length=1, max_length=200)]
    longitude: Annotated[float | None, Field(ge=-180, le=180)] = None
    latitude: Annotated[float | None, Field(ge=-90, le=90)] = None
    decision: Decision | None = None
    by: Person
    at: Moment
    maps: Sha256
    comment: Comment = ""

    @property
    def is_piece(self) -> bool:
        """Whether it is of one piece, and not of the whole glacier."""
        return self.longitude is not None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.longitude is None) != (self.latitude is None):
            raise ValueError("a piece has a longitude and a latitude")
        if self.decision is None and not self.comment.strip():
            raise ValueError("a note has a decision or a comment")
        return self


class Review(Record):
    """All decisions of a site, one a year at most, and notes on glaciers and pieces."""

    years: tuple[ReviewedYear, ...] = ()
    notes: tuple[ReviewNote, ...] = ()

    @model_validator(mode="after")
    def _one_decision_a_year(self) -> Self:
        years = [row.year for row in self.years]
        if len(set(years)) < len(years):
            raise ValueError("a year is decided on twice")
        return self

    def of_year(self, year: int) -> ReviewedYear | None:
        """Return the decision on a year; None where nobody has looked."""
        return next((row for row in self.years if row.year == year), None)

    @property
    def rejected_years(self) -> tuple[int, ...]:
        """Return the years whose maps were rejected."""
        return tuple(row.year for row in self.years if row.decision == "reject")
