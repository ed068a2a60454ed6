"""New outlines for GLIMS: polygons in WGS84 with nunataks as holes, center lines, and the answers to its form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exports.debris import debris_cover
from exports.edits import edited_by
from exports.finished import FLOW_LINES, Finished
from exports.images import images_of
from exports.whole import Chosen
from stages.common.geo.readback import refuse_unwritten
from stages.common.geo.vectors import read_features
from stages.common.run.outputs import write_json
from stages.common.tables.area import AreaRow
from stages.common.tables.review import Review

WGS84 = "EPSG:4326"
AUTOMATIC, EDITED = "Automatic", "Automatic with manual editing"
"""Methods of the form."""

SHAPEFILE_COLUMNS = {"analyst_name": "analyst_na"}
"""A Shapefile's names have ten characters at most."""

SHAPEFILE_TEXT_MAX = 254


def write_glims(site: Finished, chosen: Chosen, review: Review | None, caveats: Sequence[str], folder: Path) -> None:
    """Write outlines and center lines as GeoJSON and Shapefile, and form.json."""
    import geopandas
    import pandas

    folder.mkdir()
    years = sorted({row.year for row in chosen.rows})
    outlines = [features(site, chosen, year, caveats) for year in years]
    if outlines:
        write_both(folder, "outlines", geopandas.GeoDataFrame(pandas.concat(outlines, ignore_index=True)), "Polygon")
    debris = [cover for row in site.years if (cover := debris_features(site, chosen, row, caveats)) is not None]
    if any(len(cover) for cover in debris):
        write_both(folder, "debris", geopandas.GeoDataFrame(pandas.concat(debris, ignore_index=True)), "Polygon")
    lines = center_lines(site, chosen, caveats)
    if len(lines):
        write_both(folder, "centerlines", lines, "LineString")
    write_json(folder / "form.json", form(site, chosen, review, caveats))


def features(site: Finished, chosen: Chosen, year: int, caveats: Sequence[str]) -> Any:
    """Return the outlines of a year's whole glaciers with the attributes of GLIMS, in WGS84.

    `local_id`, `inst_name` (the instrument), `orig_id` (the images' ids), `acq_time` and `analyst_name` are required.
    """
    return _with_attributes(site, _outlines(site, chosen, year), year, "glac_bound", caveats)


def debris_features(site: Finished, chosen: Chosen, row: AreaRow, caveats: Sequence[str]) -> Any:
    """Return the debris cover of a year's whole glaciers, in WGS84; None where it could not be told from clean ice."""
    outlines = _outlines(site, chosen, row.year)
    cover = debris_cover(site, row, outlines) if len(outlines) else None
    return None if cover is None else _with_attributes(site, cover, row.year, "debris_cov", caveats)


def _outlines(site: Finished, chosen: Chosen, year: int) -> Any:
    frame = site.outlines(year)
    return frame[frame["rgi_id"].isin({row.rgi_id for row in chosen.rows if row.year == year})]


def center_lines(site: Finished, chosen: Chosen, caveats: Sequence[str]) -> Any:
    """Return the flow lines of the glaciers whose outlines are handed on, in WGS84, dated as the last outline."""
    import geopandas
    import pandas

    lines = read_features(site.root / FLOW_LINES)
    years = lines["rgi_id"].map({row.rgi_id: row.year for row in sorted(chosen.rows, key=lambda row: row.year)})
    parts = [
        _with_attributes(site, lines[years == year], year, "centerline", caveats)
        for year in sorted(set(years.dropna()))
    ]
    return geopandas.GeoDataFrame(pandas.concat(parts, ignore_index=True)) if parts else lines[:0]


def _with_attributes(site: Finished, frame: Any, year: int, category: str, caveats: Sequence[str]) -> Any:
    import geopandas

    images, contact = images_of(site, year), site.contact
    attributes = {
        "local_id": frame["rgi_id"].to_numpy(),
        "inst_name": images.instrument,
        "orig_id": ";".join(images.ids),
        "acq_time": images.day.isoformat(),
        "analyst_name": contact.name,
        "name": frame["glac_name"].to_numpy(),
        "wgms_id": [contact.wgms_ids.get(rgi_id) for rgi_id in frame["rgi_id"]],
        "category": category,
        "area_km2": frame["area_km2"].to_numpy() if "area_km2" in frame else None,
        "remarks": " ".join([*(site.product_notes(year) if category == "glac_bound" else []), *caveats]),
    }
    plain = geopandas.GeoDataFrame(attributes, geometry=frame.geometry.array, crs=frame.crs)
    plain["wgms_id"] = plain["wgms_id"].astype("Int64")
    plain["area_km2"] = plain["area_km2"].astype("float64")
    for name in ("local_id", "name", "remarks"):
        plain[name] = plain[name].astype("object")
    return plain.to_crs(WGS84)


def write_both(folder: Path, name: str, frame: Any, geometry: str) -> None:
    """Write a layer as GeoJSON (RFC 7946) and as Shapefile.

    Raises
    ------
    StorageError
        A file cannot be written; the disk may be full.
    """
    import pyogrio

    polygons = geometry == "Polygon"
    json, shapefile = folder / f"{name}.geojson", folder / f"{name}.shp"
    with refuse_unwritten(json):
        pyogrio.write_dataframe(
            frame, json, driver="GeoJSON", geometry_type="MultiPolygon" if polygons else geometry,
            promote_to_multi=polygons, RFC7946="YES",
        )  # fmt: skip
    short = frame.rename(columns=SHAPEFILE_COLUMNS)
    for column in ("orig_id", "remarks"):
        short[column] = short[column].str.slice(stop=SHAPEFILE_TEXT_MAX)
    with refuse_unwritten(shapefile):
        pyogrio.write_dataframe(short, shapefile, driver="ESRI Shapefile", geometry_type=geometry, encoding="UTF-8")


def form(site: Finished, chosen: Chosen, review: Review | None, caveats: Sequence[str]) -> dict[str, Any]:
    """Return the answers to the form that goes with new outlines."""
    contact, params = site.contact, site.params
    years = sorted({row.year for row in chosen.rows})
    images = {year: images_of(site, year) for year in years}
    edits = {
        f"{rgi_id}_{year}": name
        for year in years
        for rgi_id, name in edited_by(site, year).items()
        if (year, rgi_id) in chosen.keys
    }
    notes = review.notes if review else ()
    pieces = sum(note.is_piece and note.decision == "reject" and note.year in years for note in notes)
    return {
        "method": EDITED if edits or pieces else AUTOMATIC,
        "pieces_taken_away": pieces,
        "edited": edits,
        "analyst": contact.name,
        "institution": contact.institution,
        "email": contact.email,
        "references": contact.references,
        "images": [
            {
                "inst_name": images[year].instrument,
                "orig_id": images[year].ids,
                "acq_time": images[year].day.isoformat(),
                "bands": site.provenance[year].bands,
                "products": [source.product for source in site.provenance[year].sources],
            }
            for year in years
        ],
        "processing": "Segmentation by a convolutional network (U-Net), trained on older outlines; pixels of "
        f"{params.grid.pixel_size_m:g} m in {params.grid.crs}; glaciers divided as the older outlines are",
        "notes": sorted({note for year in years for note in site.product_notes(year)}),
        "local_uncertainty_m": params.area.boundary_buffer_px * params.grid.pixel_size_m,
        "model_md5": sorted({row.model_md5 for row in site.years}),
        "outlines": len(chosen.rows),
        "nunataks": "holes of the polygons",
        "shapefile_columns": SHAPEFILE_COLUMNS,
        "left_out": chosen.left_out,
        "caveats": list(caveats),
    }
