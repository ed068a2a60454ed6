"""Outlines that a person has drawn over a map, and whether the map has taken them in."""

from __future__ import annotations

from typing import Any

from exports.finished import Finished
from review.record import DRAWN
from stages.common.geo.vectors import read_features

ALIKE_MIN = 0.8
"""Least IoU of a drawn outline and the map's: pixels change a small glacier's outline by that much."""


def drawn_outlines(site: Finished) -> Any:
    """Return what a person has drawn, in the site's CRS, by (year, rgi_id); None where nobody has."""
    path = site.root / DRAWN
    if not path.exists():
        return None
    frame = read_features(path).to_crs(site.params.grid.crs)
    return frame.astype({"year": int}).set_index(["year", "rgi_id"])


def drawn_attributes(site: Finished) -> list[dict[str, Any]]:
    """Return year, rgi_id, who and when of each outline that a person has drawn."""
    drawn = drawn_outlines(site)
    return [] if drawn is None else drawn.drop(columns="geometry").reset_index().to_dict("records")


def edited_by(site: Finished, year: int) -> dict[str, str]:
    """Return who has drawn an outline that stands in the map of a year, by rgi_id."""
    return {rgi_id: name for rgi_id, (name, alike) in _compare(site, year).items() if alike}


def not_taken_in(site: Finished) -> list[str]:
    """Return a sentence for each year with drawn outlines that its map does not show."""
    counts = {year: sum(not alike for _, alike in _compare(site, year).values()) for year in site.params.years}
    return [
        f"{count} outline(s) that a person has drawn for {year} are not in the map."
        for year, count in counts.items()
        if count
    ]


def _compare(site: Finished, year: int) -> dict[str, tuple[str, bool]]:
    """Return who drew each outline of a year, and whether the map's is like it, by rgi_id."""
    drawn = drawn_outlines(site)
    if drawn is None or year not in drawn.index.get_level_values("year"):
        return {}
    mapped = site.outlines(year).set_index("rgi_id").geometry
    return {
        str(rgi_id): (str(row["by"]), rgi_id in mapped.index and _iou(row["geometry"], mapped[rgi_id]) >= ALIKE_MIN)
        for rgi_id, row in drawn.loc[year].iterrows()
    }


def _iou(first: Any, second: Any) -> float:
    union = first.union(second).area
    return float(first.intersection(second).area / union) if union else 0.0
