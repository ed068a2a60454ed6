"""The report of a region: one page with totals, a map and the table of its glaciers, which fetches nothing."""

from __future__ import annotations

import html
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas
import shapely
from pandas import DataFrame

from region.results import Results
from region.totals import RegionTrend, Total
from stages.common.display.phrases import COMMON_AREA

WIDTH_PX = 900
"""Width of the map."""

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b2733}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:.2rem .6rem}"
    "tr{border-bottom:1px solid #dde3ea}"
    "th:first-child,td:first-child{text-align:left}svg{width:100%;height:auto;background:#f3f1ec}"
    ".cell{fill:none;stroke:#b9b2a4}.ice{fill:#7fb2d9;stroke:#1f5f8b;stroke-width:.5}"
)


def write_page(
    title: str, by_year: Sequence[Total], trend: RegionTrend, failed: Mapping[str, str], results: Results
) -> None:
    """Write index.html from the region's tables among the results."""
    glaciers = geopandas.read_parquet(io.BytesIO(results.read("glacier_years.parquet") or b""))
    outlines = geopandas.read_parquet(io.BytesIO(results.read("outlines.parquet") or b""))
    cells = geopandas.read_parquet(io.BytesIO(results.read("plan.parquet") or b""))
    first, last = by_year[0].year, by_year[-1].year
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f"<p>{by_year[-1].glaciers} glaciers in {len(cells) - len(failed)} of {len(cells)} cells. "
        f"{COMMON_AREA}: {html.escape(trend.statement)}.</p>",
        *([f"<p><strong>{len(failed)} cell(s) failed</strong> and are not counted: failed.csv.</p>"] if failed else []),
        "<h2>All glaciers, by year</h2>",
        f"<p>Areas: {by_year[-1].in_words}. One model maps every cell, so the errors of cells are added: "
        "more cells make the sum no surer.</p>",
        _table(("year", "km²", "95 % interval", "common km²", "not observed km²"), [_total(row) for row in by_year]),
        f"<h2>Map, {last}</h2>",
        _map(cells, outlines[outlines["year"] == last]),
        "<h2>Glaciers</h2>",
        _table(
            ("glacier", "name", f"km² {first}", f"km² {last}", f"95 % interval {last}", "flags"),
            _rows(glaciers, first, last),
        ),
    ]  # fmt: skip
    page = f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    results.write("index.html", "\n".join([page, f"<style>{STYLE}</style>", *parts, "</html>\n"]).encode())


def _total(total: Total) -> tuple[str, ...]:
    common = "" if total.common_area_km2 is None else f"{total.common_area_km2:.2f}"
    interval = f"{total.area_low95_km2:.2f} to {total.area_high95_km2:.2f}"
    return f"{total.year}", f"{total.area_km2:.2f}", interval, common, f"{total.unseen_km2:.2f}"


def _rows(glaciers: DataFrame, first: int, last: int) -> list[tuple[str, ...]]:
    before = glaciers[glaciers["year"] == first].set_index("rgi_id")["area_km2"]
    after = glaciers[glaciers["year"] == last].sort_values(["area_km2", "rgi_id"], ascending=[False, True])
    return [
        (
            str(row.rgi_id),
            str(row.glac_name or ""),
            f"{before.get(row.rgi_id, float('nan')):.3f}",
            f"{row.area_km2:.3f}",
            f"{row.area_low95_km2:.3f} to {row.area_high95_km2:.3f}",
            str(row.flags),
        )
        for row in after.itertuples()
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["<table>", "<tr>" + "".join(f"<th>{html.escape(name)}</th>" for name in header) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{html.escape(str(value))}</td>" for value in row) + "</tr>" for row in rows]
    return "\n".join([*lines, "</table>"])


def _map(cells: geopandas.GeoDataFrame, outlines: geopandas.GeoDataFrame) -> str:
    """Draw the windows of the cells and the outlines, degrees as they are, longitudes shrunk by the latitude."""
    west, south, east, north = cells.total_bounds
    shrink = math.cos(math.radians((south + north) / 2))
    scale = WIDTH_PX / max((east - west) * shrink, 1e-9)

    def path(shape: Any) -> str:
        simple = shapely.simplify(shape, 0.5 / scale)
        rings = [ring for part in shapely.get_parts(simple) for ring in (part.exterior, *part.interiors)]
        corners = [
            [(round((x - west) * shrink * scale, 1), round((north - y) * scale, 1)) for x, y in ring.coords]
            for ring in rings
        ]
        return "".join("M" + "L".join(f"{x} {y}" for x, y in ring) + "Z" for ring in corners)

    drawn = [f'<path class="cell" d="{path(shape)}"><title>{name}</title></path>'
             for name, shape in zip(cells["cell"], cells.geometry, strict=True)]  # fmt: skip
    drawn += [f'<path class="ice" fill-rule="evenodd" d="{path(shape)}"><title>{html.escape(name)}</title></path>'
              for name, shape in zip(outlines["rgi_id"], outlines.geometry, strict=True)]  # fmt: skip
    height = round((north - south) * scale)
    return f'<svg viewBox="0 0 {WIDTH_PX} {height}" role="img">' + "\n".join(drawn) + "</svg>"
