"""What a site's finished run holds, read through the contracts of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common.errors import ParamsError
from stages.common.gates import all_findings
from stages.common.geo.vectors import read_features
from stages.common.params.schema import ContactParams, Params, load_params
from stages.common.run.artefacts import Artefact
from stages.common.run.contracts import check_files
from stages.common.run.records import read_document, read_rows
from stages.common.tables import kinds
from stages.common.tables.area import AreaRow, AreaSeries, FrontRow, GateFinding, Gates, GlacierAreaRow
from stages.common.tables.evaluate import EvaluateMetrics
from stages.common.tables.prepare import Provenance

FUSED = "Area and outline rest on the image and the inventory's outline together: they are no measure of change."
"""Said of areas of the outlines product."""

OUTLINES, AOI = "data/outlines.gpkg", "data/aoi.gpkg"
MAPPED = "artifacts/area/outlines_{years}.gpkg"
SERIES, FRONTS = "artifacts/area/series.json", "artifacts/area/terminus_by_year.csv"
FLOW_LINES = "artifacts/area/flow_lines.gpkg"
PROVENANCE = "artifacts/prepare/{years}/provenance.json"
GATES, SCORES = "artifacts/area/gates.json", "metrics/evaluate.json"

FILES: Mapping[str, Artefact] = {
    OUTLINES: kinds.OUTLINES,
    AOI: kinds.AOI,
    MAPPED: kinds.MAPPED_OUTLINES,
    SERIES: kinds.SERIES,
    FRONTS: kinds.FRONTS,
    FLOW_LINES: kinds.USED_FLOW_LINES,
    PROVENANCE: kinds.PROVENANCE,
    GATES: kinds.GATES,
    SCORES: kinds.EVALUATE_METRICS,
}

CONTACT = """\
add the person who answers for the results to params.yaml:
            site:
              contact:
                name: Ada Example
                institution: University of Example"""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A site after `make repro`."""

    root: Path
    params: Params
    findings: list[GateFinding]
    years: list[AreaRow]
    glaciers: list[GlacierAreaRow]
    fronts: list[FrontRow]
    provenance: dict[int, Provenance]

    @property
    def contact(self) -> ContactParams:
        """Person who answers for the results.

        Raises
        ------
        ParamsError
            params.yaml names nobody.
        """
        contact = self.params.site.contact
        if contact is None:
            raise ParamsError(
                "nobody answers for the results", where="params.yaml: site.contact",
                expected="name and institution", found="nothing", fix=CONTACT,
            )  # fmt: skip
        return contact

    def product_notes(self, year: int) -> list[str]:
        """Return what a user of a year's area and outlines must know; nothing where they rest on images alone."""
        return [FUSED for row in self.years if row.year == year and row.product == "outlines"]

    def outlines(self, year: int) -> Any:
        """Return the mapped outlines of a year: a GeoDataFrame in the site's CRS."""
        return read_features(self.path(MAPPED, year))

    def path(self, template: str, year: int | None = None) -> Path:
        """Return the path of one of `FILES`."""
        return self.root / template.replace("{years}", str(year))


def read_finished(root: Path) -> Finished:
    """Read a site that has run, each file after a check of its contract.

    Raises
    ------
    ParamsError, ContractError, InputError
        params.yaml breaks its schema; a file is absent or is not what its contract says.
    """
    params = load_params(root / "params.yaml")
    check_files(FILES, root, params, None)
    series = read_document(root / SERIES, AreaSeries)
    gates = read_document(root / GATES, Gates)
    scores = read_document(root / SCORES, EvaluateMetrics)
    fronts = root / FRONTS
    return Finished(
        root=root,
        params=params,
        findings=all_findings(gates, scores, params.gates),
        years=series.years,
        glaciers=series.glaciers,
        fronts=read_rows(fronts, FrontRow) if fronts.exists() else [],
        provenance={
            year: read_document(root / PROVENANCE.replace("{years}", str(year)), Provenance) for year in params.years
        },
    )
