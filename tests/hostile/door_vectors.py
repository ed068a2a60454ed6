"""The door of vectors: outlines, AOI, debris and flow lines that are something else."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas

from sandbox import tiny
from tests.hostile import server
from tests.hostile.case import SECRET, Case
from tests.hostile.door_params import put

Make = Callable[[Path], object]

FEATURE = {"type": "Feature", "properties": {"rgi_id": "a"},
           "geometry": {"type": "Polygon",
                        "coordinates": [[[85, 30], [85.1, 30], [85.1, 30.1], [85, 30]]]}}  # fmt: skip


def geojson(**changes: Any) -> Make:
    """A GeoJSON with one polygon and these changes."""
    return lambda path: path.write_text(json.dumps({"type": "FeatureCollection", "features": [FEATURE]} | changes))


def linked_crs(kind: str) -> Make:
    """A GeoJSON whose CRS is to be fetched from the private network."""

    def make(path: Path) -> None:
        href = server.address() + "/secret"
        geojson(crs={"type": kind, "properties": {"href": href, "url": href}})(path)

    return make


def ogr_vrt(source: str) -> Make:
    """A layer that lies elsewhere."""
    return lambda path: path.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{source}</SrcDataSource></OGRVRTLayer>'
        "</OGRVRTDataSource>"
    )


def remote_vrt(path: Path) -> None:
    """A layer that lies on a server of the private network."""
    ogr_vrt(f"/vsicurl/{server.address()}/secret.geojson")(path)


def part(share: float) -> Make:
    """The beginning of a real GeoPackage."""

    def make(path: Path) -> None:
        tiny.write_outlines(path.with_name("whole.gpkg"))
        content = path.with_name("whole.gpkg").read_bytes()
        path.write_bytes(content[: int(len(content) * share)])

    return make


def other_database(path: Path) -> None:
    """A database of something else."""
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE secret (words TEXT)")
        database.commit()


def archive(path: Path) -> None:
    """A zip with outlines in it."""
    with zipfile.ZipFile(path, "w") as file:
        file.write("source/outlines.gpkg", "outlines.gpkg")


KINDS: dict[str, tuple[str, Make]] = {
    "a VRT of a local file": ("x.vrt", ogr_vrt("outlines.gpkg")),
    "a VRT called GeoPackage": ("x.gpkg", ogr_vrt("outlines.gpkg")),
    "a VRT of an address": ("x.gpkg", remote_vrt),
    "a GeoJSON with the CRS of an address": ("x.geojson", linked_crs("link")),
    "a GeoJSON with the CRS of a URL": ("x.geojson", linked_crs("URL")),
    "a GeoJSON that ends early": ("x.geojson", lambda path: path.write_text('{"type": "FeatureCollection", "feat')),
    "a GeoJSON without features": ("x.geojson", geojson(features=[])),
    "a GeoJSON of nulls": ("x.geojson", geojson(features=[None, 7, {}])),
    "a GeoJSON of endless coordinates": ("x.geojson", lambda path: path.write_text(json.dumps(
        {"type": "FeatureCollection", "features": [FEATURE]}).replace("85.1", "1e999"))),
    "a deep GeoJSON": ("x.geojson", lambda path: path.write_text('{"a":' * 9999)),
    "a tenth of a GeoPackage": ("x.gpkg", part(0.1)),
    "most of a GeoPackage": ("x.gpkg", part(0.9)),
    "another database": ("x.gpkg", other_database),
    "a KML": ("x.kml", lambda path: path.write_text("<kml/>")),
    "a table": ("x.csv", lambda path: path.write_text("rgi_id,WKT\na,POINT (0 0)\n")),
    "a zip": ("x.zip", archive),
    "a text": ("x.shp", lambda path: path.write_text(SECRET)),
    "nothing": ("x.gpkg", lambda path: path.write_bytes(b"")),
    "a folder": ("x.gpkg", Path.mkdir),
    "a pipe": ("x.gpkg", os.mkfifo),
    "an endless device": ("x.gpkg", lambda path: path.symlink_to("/dev/zero")),
}  # fmt: skip

ROLES = {"outlines": "ingest.outlines", "the AOI": "ingest.aoi", "debris": "auxiliary.debris",
         "flow lines": "auxiliary.flow_lines"}  # fmt: skip


def in_role(role: str, name: str, make: Make) -> Callable[[Path], None]:
    """Put a file in the place of a role, and name it in params.yaml."""

    def change(site: Path) -> None:
        make(site / "source" / name)
        value: dict[str, Any] = {"path": f"source/{name}"}
        where = ROLES[role]
        if where.startswith("auxiliary"):
            where, value = "ingest.auxiliary", {where.partition(".")[2]: value}
        put(value, where)(site)

    return change


def ids(first: str, name: str | None = None) -> Callable[[Path], None]:
    """Outlines of which the first has this id, and this name."""

    def change(site: Path) -> None:
        frame = geopandas.GeoDataFrame(
            {"RGIId": [first, "b"], "Name": [name, None]}, geometry=tiny.outlines(), crs=tiny.CRS
        )
        (site / "source/outlines.gpkg").unlink()
        frame.to_file(site / "source/outlines.gpkg")

    return change


UNFIT = ["../../outside/x", "/etc/passwd", "a/../b", "", "=HYPERLINK(1)", "<script>", "a'; DROP TABLE runs", "+1", "-x",
         "@SUM(1)", "x" * 101, "a/", "a\\b", "a|b", "%2e%2e/x", "\u202egnp"]  # fmt: skip
NAMES = ["<script>alert(1)</script>", "=1+1", "../..", "$\\frac{1}{2}$", "a" * 5000, "{{ 7 * 7 }}", "a\x1b[31m\nb"]

CASES = [
    Case(door="vectors", name=f"{role}: {kind}", change=in_role(role, name, make), piece="vector file")
    for role in ROLES for kind, (name, make) in KINDS.items()
    if kind not in ("a GeoJSON of nulls", "a GeoJSON of endless coordinates", "a deep GeoJSON")
] + [
    Case(door="vectors", name=f"{role}: {kind}", change=in_role(role, *KINDS[kind]))
    for role in ("outlines", "the AOI")
    for kind in ("a GeoJSON of nulls", "a GeoJSON of endless coordinates", "a deep GeoJSON")
] + [
    Case(door="vectors", name=f"an outline with the id {text[:20]!r}", change=ids(text), piece="id") for text in UNFIT
] + [
    Case(door="vectors", name=f"a glacier named {text[:20]!r}", change=ids("a", text), code=0) for text in NAMES
]  # fmt: skip
