"""The review of a site: read as it was written, absent where nobody has looked, refused where it is none."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from review.record import REVIEW, read_review, version_of
from stages.common.errors import ContractError

YEAR = "{year: 2020, decision: reject, by: A. Person, at: '2026-11-28T23:00:00Z', maps: " + "a" * 64 + "}"


def write(site: Path, text: str) -> None:
    path = site / REVIEW
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def test_a_site_that_nobody_has_looked_at_has_no_review(tmp_path: Path) -> None:
    assert read_review(tmp_path) is None


def test_a_review_says_who_decided_what_and_when(tmp_path: Path) -> None:
    write(tmp_path, f"years: [{YEAR}]\nnotes: []\n")
    review = read_review(tmp_path)
    assert review is not None
    year = review.of_year(2020)
    assert year is not None
    assert (year.decision, year.by, year.at, year.maps) == ("reject", "A. Person", "2026-11-28T23:00:00Z", "a" * 64)
    assert review.of_year(2021) is None
    assert review.rejected_years == (2020,)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"years: [{YEAR}, {YEAR}]", "decided on twice"),
        (f"years: [{YEAR.replace('reject', 'perhaps')}]", "'accept' or 'reject'"),
        (f"years: [{YEAR.replace('A. Person', '')}]", "valid string"),
        (f"years: [{YEAR.replace('aaaa', 'xxxx', 1)}]", "match pattern"),
        (f"years: [{YEAR}", "not readable"),
        (f"notes: [{YEAR[:-1]}, decision: null, rgi_id: a, comment: ' '}}]", "decision or a comment"),
        (f"notes: [{YEAR[:-1]}, rgi_id: a, longitude: 7}}]", "longitude and a latitude"),
    ],
)
def test_a_review_that_is_none_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ContractError) as caught:
        read_review(tmp_path)
    assert expected in str(caught.value)
    assert str(tmp_path / REVIEW) in caught.value.where


def test_a_glacier_stays_rejected_until_its_outline_is_drawn(tmp_path: Path) -> None:
    piece = f"{YEAR[:-1]}, rgi_id: b, longitude: 7, latitude: 8}}"
    notes = [f"{YEAR[:-1]}, rgi_id: {rgi_id}}}" for rgi_id in ("a", "unassigned")]
    write(tmp_path, f"notes: [{', '.join([*notes, piece])}]")
    review = read_review(tmp_path)
    assert review is not None
    assert review.rejected_glaciers() == {(2020, "a")}
    drawn = {"year": 2020, "rgi_id": "a", "at": "2026-11-28T22:59:59Z"}
    assert review.rejected_glaciers([drawn, drawn | {"rgi_id": "b"}]) == {(2020, "a")}
    assert review.rejected_glaciers([drawn | {"at": "2026-11-28T23:00:00Z"}]) == set()


def test_the_version_of_a_map_is_the_hash_of_its_outlines(tmp_path: Path) -> None:
    path = tmp_path / "artifacts/area/outlines_2020.gpkg"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"outlines")
    assert version_of(tmp_path, 2020) == hashlib.sha256(b"outlines").hexdigest()
