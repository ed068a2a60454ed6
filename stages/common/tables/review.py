"""Review of a site by a person: ``data/auxiliary/review.yaml``, beside the outlines that the person corrected."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from stages.common.params.section import Year
from stages.common.tables.base import Record
from stages.common.tables.labels import UNASSIGNED

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="of the mapped outlines that were looked at")]
Moment = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", description="UTC, ISO 8601")]
Person = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S", description="name of who looked")]
Comment = Annotated[str, Field(max_length=2000)]
Decision = Literal["accept", "reject"]

AUTOMATIC, EDITED = "automatic", "automatic with manual editing"
"""How GLIMS calls outlines that a model drew, and those of them that a person changed."""


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

    @property
    def takes_ice_away(self) -> bool:
        """Whether ice is taken out of the map: a rejected piece, or all of the ice near no outline."""
        return self.decision == "reject" and (self.is_piece or self.rgi_id == UNASSIGNED)

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

    def rejected_glaciers(self, drawn: Iterable[Mapping[str, Any]] = ()) -> set[tuple[int, str]]:
        """Return year and rgi_id of the glaciers that were rejected as a whole; ice near no outline is no glacier.

        An outline that was drawn at the same time or later answers a rejection: what is drawn counts.

        Parameters
        ----------
        drawn
            Attributes of the outlines drawn by hand: year, rgi_id, at.
        """
        last = {(int(each["year"]), str(each["rgi_id"])): str(each["at"]) for each in drawn}
        notes = [note for note in self.notes if note.decision == "reject" and not note.takes_ice_away]
        return {key for note in notes if note.at > last.get(key := (note.year, note.rgi_id), "")}

    def of_year(self, year: int) -> ReviewedYear | None:
        """Return the decision on a year; None where nobody has looked."""
        return next((row for row in self.years if row.year == year), None)

    @property
    def rejected_years(self) -> tuple[int, ...]:
        """Return the years whose maps were rejected."""
        return tuple(row.year for row in self.years if row.decision == "reject")


class ReviewRow(Record):
    """One line of review.csv: who looked at what, and when."""

    year: Year
    what: Literal["year", "glacier", "piece", "outline"]
    rgi_id: str | None = None
    decision: Literal["accept", "reject", "correct"] | None = None
    by: Person
    at: Moment
    comment: Comment | None = None
    same_maps: Annotated[
        bool | None, Field(description="whether the outlines are still those that were looked at; null: drawn by hand")
    ] = None
    method: Annotated[str, Field(description="how the year's outlines were made, in the words of GLIMS")]


def glaciers_rejected(rows: Sequence[ReviewRow]) -> dict[int, list[str]]:
    """Return RGI ids of glaciers that a person rejected as a whole, by year; one drawn since then is not rejected."""
    drawn = {(row.year, row.rgi_id): row.at for row in rows if row.what == "outline"}
    by_year: dict[int, list[str]] = {}
    for row in rows:
        whole = row.what == "glacier" and row.decision == "reject" and row.rgi_id != UNASSIGNED
        if whole and row.rgi_id and row.at > drawn.get((row.year, row.rgi_id), ""):
            by_year.setdefault(row.year, []).append(row.rgi_id)
    return by_year


def years_left_out(rows: Sequence[ReviewRow], excluded_years: Iterable[int]) -> list[int]:
    """Return the years that are left out because a person rejected the map, or most of the glaciers in it.

    Parameters
    ----------
    excluded_years
        Years that the trend of the common area leaves out, for whatever reason.
    """
    whole = {row.year for row in rows if row.what == "year" and row.decision == "reject"}
    return sorted(whole | (glaciers_rejected(rows).keys() & set(excluded_years)))


def rows_of(review: Review, drawn: Sequence[Mapping[str, Any]], outlines: Mapping[int, Path]) -> list[ReviewRow]:
    """Return the lines of review.csv, by year.

    Parameters
    ----------
    drawn
        Attributes of the outlines drawn by hand: year, rgi_id, by, at.
    outlines
        Each year's mapped outlines as they are now; years that the site no longer has are left out.
    """
    by_hand = {int(each["year"]) for each in drawn} | {note.year for note in review.notes if note.takes_ice_away}
    versions = {year: sha256_of(path) for year, path in outlines.items()}
    entries: list[dict[str, Any]] = [
        *({"what": "year", "seen": row.maps, **_of(row)} for row in review.years),
        *(
            {"what": "piece" if note.is_piece else "glacier", "rgi_id": note.rgi_id, "seen": note.maps, **_of(note)}
            for note in review.notes
        ),
        *(
            {"what": "outline", "decision": "correct", "seen": None, "year": int(each["year"])}
            | {name: str(each[name]) for name in ("rgi_id", "by", "at")}
            for each in drawn
        ),
    ]
    return [
        ReviewRow(
            **{name: value for name, value in entry.items() if name != "seen"},
            same_maps=None if entry["seen"] is None else entry["seen"] == versions[entry["year"]],
            method=EDITED if entry["year"] in by_hand else AUTOMATIC,
        )
        for entry in sorted(entries, key=lambda entry: entry["year"])
        if entry["year"] in versions
    ]


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _of(row: ReviewedYear | ReviewNote) -> dict[str, Any]:
    return {"year": row.year, "decision": row.decision, "by": row.by, "at": row.at, "comment": row.comment or None}
