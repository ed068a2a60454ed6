"""What is followed from year to year: ice fronts, and ground lost and gained."""

from __future__ import annotations

from dataclasses import dataclass

from stages.area import contract
from stages.area.change import Changes, SeenMap
from stages.area.retreat import terminus_rows, trend_rows
from stages.area.series import YearArea
from stages.area.site import Site
from stages.area.terminus import Termini, open_termini
from stages.common.outputs import write_table
from stages.common.stage import Run
from stages.common.tables import Provenance
from stages.common.tables_area import TerminusRow, TerminusTrendRow
from stages.common.types import BoolArray


@dataclass(frozen=True)
class Dynamics:
    """Takes each year's map as it is measured; tables are written when all years are known."""

    run: Run
    termini: Termini
    changes: Changes

    def add(self, one: YearArea, provenance: Provenance, *, ice: BoolArray, seen: BoolArray) -> None:
        """Look at a year's map: ice and what was seen, (H, W) within the AOI.

        A year left out of the common area is left out of the change maps too; a front needs no more than itself.
        """
        probability = self.run.by_year(contract.PROBABILITY)[one.year]
        self.termini.add(one, provenance, ice=ice, seen=seen, probability=probability)
        if one.common_km2 is not None:
            self.changes.add(SeenMap(year=one.year, ice=ice, seen=seen))

    def write(self) -> None:
        """Write the tables of the fronts; that of the changes is written with the areas, whose digits it has."""
        out, glaciers = self.run.out, self.changes.site.glaciers
        write_table(out / "terminus_by_year.csv", terminus_rows(self.termini, glaciers), TerminusRow)
        write_table(out / "terminus_by_glacier.csv", trend_rows(self.termini, glaciers), TerminusTrendRow)


def follow(run: Run, site: Site) -> Dynamics:
    """Nothing seen yet."""
    return Dynamics(run, open_termini(run, site), Changes(site=site, out=run.out))
