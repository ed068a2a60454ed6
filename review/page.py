"""review.html: one file that shows every year's scene, outlines and flags, and hands over what a person decides."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from jinja2 import FileSystemLoader

from review.first import places
from review.record import read_review, version_of
from stages.common.display.phrases import SIMULATED
from stages.common.drawing.pages import TEMPLATES as SHARED
from stages.common.drawing.pages import data_uri, page_templates
from stages.common.params.schema import Params
from stages.common.run.contracts import check_inputs
from stages.common.run.stage import Run
from stages.common.tables.labels import UNASSIGNED
from stages.common.tables.review import Review
from stages.report.contract import CONTRACT
from stages.report.findings import Findings, read_findings
from stages.report.page.scripts import TEMPLATES, leaflet_licence, leaflet_style, policy, scripts
from stages.report.qgis.series import OUTLINES, series_frames
from stages.report.web_map.document import as_script_text, map_document

GRAPH = "glacier_retreat_graph.png"
OWN = Path(__file__).parent / "templates"

PIECES_MAX = 40
"""Most pieces of a glacier in a year that are listed, the largest first."""


def render_review(params: Params) -> str:
    """Return the page for the site in the working directory.

    Raises
    ------
    ContractError, InputError
        A result of the pipeline is absent, or is not what it must be.
    """
    check_inputs(CONTRACT, params, None)
    run = Run(CONTRACT, params, None, Path(), logging.getLogger("review"))
    findings = read_findings(run)
    frames = series_frames(run, findings)
    document = map_document(run, findings, frames)
    document["review"] = {
        "site": params.site.name,
        "versions": {year: version_of(Path(), year) for year in findings.years},
        "pieces": pieces(frames[OUTLINES]),
        "earlier": (read_review(Path()) or Review()).model_dump(mode="json"),
    }
    return _html(findings, document)


def pieces(outlines: Any) -> dict[int, dict[str, list[list[float]]]]:
    """Return longitude, latitude and km2 of each piece of the outlines that have several, by year and glacier."""
    listed: dict[int, dict[str, list[list[float]]]] = {}
    for row in outlines.itertuples():
        parts = sorted(shapely.get_parts(row.geometry), key=lambda part: -part.area)[:PIECES_MAX]
        if len(parts) < 2:
            continue
        points = [part.representative_point() for part in parts]
        degrees = type(outlines.geometry)(points, crs=outlines.crs).to_crs("EPSG:4326")
        listed.setdefault(int(row.year), {})[row.rgi_id] = [
            [round(point.x, 7), round(point.y, 7), round(part.area / 1e6, 4)]
            for point, part in zip(degrees, parts, strict=True)
        ]
    return listed


def _html(findings: Findings, document: Mapping[str, Any]) -> str:
    environment = page_templates(OWN)
    environment.loader = FileSystemLoader([OWN, TEMPLATES, SHARED])
    texts = scripts(OWN / "review.js")
    picture = Path("artifacts/report", GRAPH)
    return environment.get_template("look.html").render(
        site=findings.site, simulated=SIMULATED, years=findings.years, trend=findings.trend, truth=None, map=document,
        map_data=as_script_text(document), scripts=texts, policy=policy(texts), leaflet_style=leaflet_style(),
        leaflet_licence=leaflet_licence(), alt={GRAPH: "Glacier area per year"},
        pictures={GRAPH: data_uri(GRAPH, picture.read_bytes()) if picture.exists() else ""},
        rejected_years=findings.rejected_years, areas=_rows(findings), first=_first(findings),
        failed=[gate for gate in findings.gates if not gate.passed and not gate.overridden],
    )  # fmt: skip


def _first(findings: Findings) -> list[dict[str, Any]]:
    names = {row.rgi_id: row.glac_name or row.rgi_id for row in findings.glaciers}
    names[UNASSIGNED] = "near no outline"
    return [
        asdict(place) | {"title": names.get(place.rgi_id or "", "the whole year")}
        for place in places(findings.areas, findings.glaciers)
    ]


def _rows(findings: Findings) -> list[dict[str, Any]]:
    """Return what the table says of each year: area, what was observed, and what is flagged."""
    flagged = findings.statistics.change_trend.flagged_years if findings.statistics.change_trend else []
    return [
        {
            "year": row.year, "date": row.date, "area": f"{row.glacier_area_km2:.2f}",
            "half": "–" if row.area_high95_km2 is None else f"± {row.area_high95_km2 - row.glacier_area_km2:.2f}",
            "valid": f"{np.floor(100 * row.valid_fraction):.0f} %",
            "flags": "; ".join(
                text
                for text, on in (
                    ("left out of the common area", row.common_area_km2 is None),
                    ("snow or cloud where no glacier can be", row.year in flagged),
                    (f"{row.unseen_km2:.2f} km² unseen", row.unseen_km2 >= 0.005),
                )
                if on
            ),
        }
        for row in findings.areas
    ]  # fmt: skip
