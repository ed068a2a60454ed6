"""Take in what a person decided on the page: checked against today's maps, then merged with what stands."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from review.record import version_of
from stages.common.errors import ContractError, InputError
from stages.common.run.documents import parse_json
from stages.common.run.records import validate
from stages.common.tables.base import Record
from stages.common.tables.review import Moment, Person, Review, ReviewedYear, ReviewNote

AGAIN = "save it again with the button of review.html"


class Handover(Record):
    """The file that the page saves."""

    by: Person
    at: Moment
    years: tuple[ReviewedYear, ...] = ()
    notes: tuple[ReviewNote, ...] = ()


def read_handover(path: Path, root: Path, *, years: Collection[int], rgi_ids: Collection[str]) -> Handover:
    """Return the decisions in a file that the page saved.

    Parameters
    ----------
    root
        The site's folder.
    years, rgi_ids
        Years and glaciers of the site.

    Raises
    ------
    InputError
        The file is absent or not what the page saves, is of a year or glacier that the site has not, or of another
        version of the maps.
    """
    if not path.is_file():
        raise InputError("the review is absent", where=path, expected="the file that the page saved", fix=AGAIN)
    try:
        handover = validate(Handover, parse_json(path.read_bytes(), path), where=str(path))
    except (ContractError, InputError) as error:
        raise InputError(
            "the review is not a file as the page saves it", where=error.where, found=error.found, fix=AGAIN,
            expected=error.expected or "JSON with by, at, years and notes",
        ) from error  # fmt: skip
    entries: list[ReviewedYear | ReviewNote] = [*handover.years, *handover.notes]
    _require_listed(path, "year", sorted({str(entry.year) for entry in entries} - {str(year) for year in years}))
    _require_listed(path, "glacier", sorted({note.rgi_id for note in handover.notes} - set(rgi_ids)))
    versions = {year: version_of(root, year) for year in {entry.year for entry in entries}}
    if stale := sorted({entry.year for entry in entries if entry.maps != versions[entry.year]}):
        raise InputError(
            "the review is of another version of the maps", where=path,
            expected=f"outlines with the SHA-256 {versions[stale[0]][:12]}... of {stale[0]}",
            found=f"decisions on other outlines of {', '.join(map(str, stale))}",
            fix="look at today's maps: `make review` writes the page again, which begins with what was decided so far",
        )  # fmt: skip
    return handover


def merged(earlier: Review, handover: Handover) -> Review:
    """Return the review with new decisions in place of those on the same year, glacier or piece."""
    years = {row.year: row for row in (*earlier.years, *handover.years)}
    notes = {(row.year, row.rgi_id, row.longitude, row.latitude): row for row in (*earlier.notes, *handover.notes)}
    return Review(
        years=tuple(row for _, row in sorted(years.items())),
        notes=tuple(sorted(notes.values(), key=lambda row: (row.year, row.rgi_id))),
    )


def _require_listed(path: Path, what: str, strange: list[str]) -> None:
    if strange:
        raise InputError(
            f"the site has no such {what}", where=path, expected=f"a {what} of this site", found=", ".join(strange),
            fix="name the site that the page was written for: SITE=<name>",
        )  # fmt: skip
