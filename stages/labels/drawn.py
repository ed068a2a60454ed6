"""Outlines that a person drew (`make review`), in place of those of the inventory: what training may learn from."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from stages.common.geo.vectors import read_polygons

log = logging.getLogger("labels")


def with_drawn_outlines(outlines: Any, drawn: Path, *, crs: str, training_years: Sequence[int]) -> Any:
    """Return the outlines with those that a person drew in place of the inventory's, each dated by its map's year.

    Where a glacier was drawn in several years, the year nearest to the middle of the training years counts.

    Parameters
    ----------
    outlines
        GeoDataFrame in `crs`, with ``rgi_id`` and ``src_date``.
    drawn
        data/auxiliary/review.gpkg, which may be absent.
    """
    if not drawn.exists():
        log.warning("labels.learn_from_review is set, and nobody has drawn an outline: training learns from no review")
        return outlines
    frame, middle = read_polygons(drawn, crs), fmean(training_years)
    taught = outlines.copy()
    taught["src_date"] = taught["src_date"].astype(object)
    for index, rgi_id in taught["rgi_id"].items():
        own = frame[frame["rgi_id"] == rgi_id]
        if len(own):
            year = min(own["year"], key=lambda year: (abs(year - middle), year))
            taught.at[index, "geometry"] = own.geometry[own["year"] == year].union_all()
            taught.at[index, "src_date"] = f"{year}"
    log.info("training learns from the hand-drawn outlines of %d glaciers", frame["rgi_id"].nunique())
    return taught
