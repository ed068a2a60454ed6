"""All cases, and the sites that they spoil."""

from __future__ import annotations

from pathlib import Path

from tests.hostile import (
    door_catalogue,
    door_data,
    door_model,
    door_params,
    door_raster,
    door_safe,
    door_tracking,
    door_vectors,
    site,
)
from tests.hostile.case import Case
from tests.ingest.sources.safe import safe_product

DOORS = (
    door_params, door_raster, door_safe, door_catalogue, door_vectors, door_data, door_model, door_tracking,
)  # fmt: skip

CASES: list[Case] = [case for door in DOORS for case in door.CASES]

KINDS = ("tiny", "safe")
"""Kinds of site that a case may spoil."""

QUICK_STEP = 4
"""Every so many cases of each door are part of the tests; all of them are run by ``python -m tests.hostile``."""


def quick() -> list[Case]:
    """Return the cases that take no second by their nature, every `QUICK_STEP`-th of each door."""
    return [case for door in DOORS for case in [case for case in door.CASES if not case.slow][::QUICK_STEP]]


def build(kind: str, folder: Path) -> Path:
    """Make the site of this kind in an empty folder, and return it."""
    if kind == "safe":
        safe_product.make_site(folder, ["2020-10-05"])
        (folder / "artifacts").mkdir()
        return folder
    return site.make(folder)
