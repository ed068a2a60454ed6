"""The review of a site, as it stands in its ``data/``."""

from __future__ import annotations

from pathlib import Path

from stages.common.run.records import read_yaml_document
from stages.common.tables.review import Review, sha256_of

REVIEW = Path("data/auxiliary/review.yaml")
"""Relative to the site's folder; `data.dvc` pins it."""

DRAWN = REVIEW.with_name("review.gpkg")
"""Outlines that a person has drawn, with `year`, `rgi_id` and `by`; absent where nobody has drawn any."""


def read_review(root: Path) -> Review | None:
    """Return the review of the site in the folder `root`; None where nobody has looked yet.

    Raises
    ------
    ContractError
        The file is not valid YAML, or a value breaks its contract.
    """
    path = root / REVIEW
    return read_yaml_document(path, Review) if path.exists() else None


def outlines_of(root: Path, year: int) -> Path:
    """Return the mapped outlines of a year that a person looks at."""
    return root / f"artifacts/area/outlines_{year}.gpkg"


def version_of(root: Path, year: int) -> str:
    """Return the SHA-256 of the year's mapped outlines, in hexadecimal: the version of the maps that is looked at."""
    return sha256_of(outlines_of(root, year))
