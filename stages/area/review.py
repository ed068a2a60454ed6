"""What a person decided on the maps: years left out, pieces taken away, outlines drawn by hand."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pyproj import Transformer

from stages.area import contract
from stages.area.map.pieces import keep_pieces
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, Plane
from stages.common.geo.vectors import pixels_inside, read_polygons
from stages.common.run.outputs import write_table
from stages.common.run.records import read_yaml_document
from stages.common.run.stage import Run
from stages.common.tables.review import Review, ReviewNote, ReviewRow, rows_of

log = logging.getLogger("area")


@dataclass(frozen=True, kw_only=True)
class SiteReview:
    """The review of a site; an empty one where nobody has looked."""

    review: Review = field(default_factory=Review)
    corrections: Any = None
    """GeoDataFrame of hand-drawn outlines in the grid's CRS (columns of `kinds.CORRECTION_COLUMNS`), or None."""

    def rejects(self, year: int) -> bool:
        """Whether a person rejected the year's map."""
        return year in self.review.rejected_years

    def rejected_glaciers(self, year: int) -> set[str]:
        """Return the RGI ids of the glaciers that a person rejected in the year's map, and has not drawn since."""
        return {rgi_id for of_year, rgi_id in self.review.rejected_glaciers(self._drawn) if of_year == year}

    @property
    def _drawn(self) -> list[dict[str, Any]]:
        """Attributes of the outlines drawn by hand."""
        return [] if self.corrections is None else self.corrections.drop(columns="geometry").to_dict("records")

    def edited(self, year: int, ice: Bits, observed: Bits, *, owner: Plane, rgi_ids: Sequence[str], grid: Grid) -> Bits:
        """Return a year's map (H, W) with what a person changed: the same array where nothing was.

        A hand-drawn outline replaces all ice of its glacier, on the pixels that were observed. A rejected piece is
        taken away, and so is the ice near no outline where that was rejected. The ice of a glacier that was rejected as
        a whole stays in the map: it is not counted (`stages.area.year.counted`).

        Parameters
        ----------
        owner
            (H, W) number of the glacier that ice there is counted to.
        rgi_ids
            RGI id of each value of `owner`.
        """
        for note in self.review.notes:
            if note.year == year and note.takes_ice_away:
                near = ice if note.is_piece else ice & ~_ground_of(owner, 0)
                ice = _without_piece(ice, note, owner=owner, grid=grid) if note.is_piece else near
        if self.corrections is None:
            return ice
        drawn = self.corrections[self.corrections["year"] == year]
        for rgi_id in sorted(set(drawn["rgi_id"])):
            own = _ground_of(owner, rgi_ids.index(rgi_id) if rgi_id in rgi_ids else len(rgi_ids))
            inside = Bits.of(pixels_inside(drawn.geometry[drawn["rgi_id"] == rgi_id], grid))
            ice = (own & inside & observed) | (ice & ~own)
            if beyond := (inside & ~(own & observed)).sum():
                log.warning(
                    "%d: %.3f km2 of the outline drawn for %s lie on unobserved ground or nearer to other glaciers, "
                    "and are not counted", year, beyond * grid.pixel_size_m**2 / 1e6, rgi_id,
                )  # fmt: skip
        return ice

    def write(self, out: Path, years: Sequence[int]) -> None:
        """Write review.csv into the stage's folder, beside the outlines; nothing where nobody has looked."""
        rows = rows_of(self.review, self._drawn, {year: out / f"outlines_{year}.gpkg" for year in years})
        if rows:
            write_table(out / "review.csv", rows, ReviewRow)


NOBODY_LOOKED = SiteReview()


def read_site_review(run: Run, grid: Grid) -> SiteReview:
    """Read the review of the site.

    Raises
    ------
    ContractError, InputError
        A file is not readable, or a value breaks its contract.
    """
    decisions, corrections = run.path(contract.REVIEW), run.path(contract.CORRECTIONS)
    return SiteReview(
        review=read_yaml_document(decisions, Review) if decisions.exists() else Review(),
        corrections=read_polygons(corrections, grid.crs) if corrections.exists() else None,
    )


def _without_piece(ice: Bits, note: ReviewNote, *, owner: Plane, grid: Grid) -> Bits:
    """Take away the ice of one glacier that is joined to the note's point, which may be ice no longer."""
    to_grid = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True)
    x, y = ~grid.transform @ to_grid.transform(note.longitude, note.latitude)
    row, column = int(np.floor(y)), int(np.floor(x))
    point = Bits(ice.shape)
    if 0 <= row < grid.height and 0 <= column < grid.width:
        point[row : row + 1, column : column + 1] = np.ones((1, 1), dtype=bool)
    if not (point & ice).any():
        return ice
    own = ice & _ground_of(owner, int(owner[row : row + 1][0, column]))
    piece, _ = keep_pieces(own.__getitem__, point.__getitem__, lambda _, has_point: has_point, shape=ice.shape)
    return ice & ~piece


def _ground_of(owner: Plane, index: int) -> Bits:
    return Bits.by_rows((owner.shape[0], owner.shape[1]), lambda rows: owner[rows] == index)
