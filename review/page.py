"""review.html: one file that shows every year's scene, outlines and flags, and hands over what a person decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from review.first import places
from review.record import read_review, version_of
from review.results import AREA, REPORT, Results, read_results
from stages.common.display.phrases import NEAR_NO_OUTLINE, SIMULATED, products_of
from stages.common.drawing.pages import data_uri
from stages.common.geo.vectors import read_features
from stages.common.params.schema import Params
from stages.common.tables.labels import UNASSIGNED
from stages.common.tables.review import Review
from stages.common.web_map.scripts import CHART, MAP, map_templates, script_content

GRAPH = "glacier_retreat_graph.png"
OWN = Path(__file__).parent / "templates"

PIECES_MAX = 40
"""Most pieces of a glacier in a year that are listed, the largest first."""


def render_review(params: Params) -> str:
    """Return the page for the site in the working directory.

    Raises
    ------
    ContractError
        A result of the pipeline is absent, or is not what it must be, or the report is of another state.
    """
    results = read_results(params)
    document = dict(results.map_document)
    document["review"] = {
        "site": params.site.name,
        "versions": {year: version_of(Path(), year) for year in results.years},
        "pieces": pieces({year: read_features(AREA / f"outlines_{year}.gpkg") for year in results.years}),
        "earlier": (read_review(Path()) or Review()).model_dump(mode="json"),
    }
    return _html(params, results, document)


def pieces(outlines: Mapping[int, Any]) -> dict[int, dict[str, list[list[float]]]]:
    """Return longitude, latitude and km2 of each piece of the outlines that have several, by year and glacier."""
    listed: dict[int, dict[str, list[list[float]]]] = {}
    for year, frame in outlines.items():
        for row in frame.itertuples():
            parts = sorted(shapely.get_parts(row.geometry), key=lambda part: -part.area)[:PIECES_MAX]
            if len(parts) < 2:
                continue
            points = [part.representative_point() for part in parts]
            degrees = type(frame.geometry)(points, crs=frame.crs).to_crs("EPSG:4326")
            listed.setdefault(year, {})[row.rgi_id] = [
                [round(point.x, 7), round(point.y, 7), round(part.area / 1e6, 4)]
                for point, part in zip(degrees, parts, strict=True)
            ]
    return listed


def _html(params: Params, results: Results, document: Mapping[str, Any]) -> str:
    environment = map_templates(OWN)
    picture = REPORT / GRAPH
    return environment.get_template("look.html").render(
        site=params.site, simulated=SIMULATED, years=results.years, trend=results.trend, truth=None,
        alt={GRAPH: "Glacier area per year"},
        pictures={GRAPH: data_uri(GRAPH, picture.read_bytes()) if picture.exists() else ""},
        areas_product=products_of(row.product for row in results.areas),
        rejected_years=results.rejected_years, areas=_rows(results), first=_first(results),
        failed=[gate for gate in results.gates if not gate.passed and not gate.overridden],
        **script_content(environment, document, (CHART, MAP, "review.js")),
    )  # fmt: skip


def _first(results: Results) -> list[dict[str, Any]]:
    names = {row.rgi_id: row.glac_name or row.rgi_id for row in results.glaciers}
    names[UNASSIGNED] = NEAR_NO_OUTLINE
    return [
        asdict(place) | {"title": names.get(place.rgi_id or "", "the whole year")}
        for place in places(results.areas, results.glaciers)
    ]


def _rows(results: Results) -> list[dict[str, Any]]:
    """Return what the table says of each year: area, what was observed, and what is flagged."""
    return [
        {
            "year": row.year, "date": row.date, "area": f"{row.glacier_area_km2:.2f}",
            "half": "–" if row.area_high95_km2 is None else f"± {row.area_high95_km2 - row.glacier_area_km2:.2f}",
            "valid": f"{np.floor(100 * row.valid_fraction):.0f} %",
            "flags": "; ".join(
                text
                for text, on in (
                    ("left out of the common area", row.common_area_km2 is None),
                    ("snow or cloud where no glacier can be", row.year in results.flagged_years),
                    (f"{row.unseen_km2:.2f} km² unseen", row.unseen_km2 >= 0.005),
                )
                if on
            ),
        }
        for row in results.areas
    ]  # fmt: skip
