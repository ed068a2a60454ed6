"""Mapped outlines with all 28 columns of RGI 7.0, as GeoPackage and GeoParquet; what is not known is null."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from stages.common.geo.vectors import write_geopackage

COLUMNS = {
    "rgi_id": "str", "o1region": "str", "o2region": "str", "glims_id": "str", "anlys_id": "Int64", "subm_id": "Int64",
    "src_date": "str", "cenlon": "float64", "cenlat": "float64", "utm_zone": "Int64", "area_km2": "float64",
    "primeclass": "Int64", "conn_lvl": "Int64", "surge_type": "Int64", "term_type": "Int64", "glac_name": "str",
    "is_rgi6": "Int64", "termlon": "float64", "termlat": "float64", "zmin_m": "float64", "zmax_m": "float64",
    "zmed_m": "float64", "zmean_m": "float64", "slope_deg": "float64", "aspect_deg": "float64", "aspect_sec": "Int64",
    "dem_source": "str", "lmax_m": "float64",
}  # fmt: skip
"""Columns of the product "glaciers" in their order (RGI Consortium 2023), and their types here."""

REGION = re.compile(r"RGI60-(?P<rgi6>\d\d)\.\d+|RGI2000-v7\.0-G-(?P<rgi7>\d\d)-\d+")

GEOPARQUET: dict[str, Any] = {"schema_version": "1.1.0", "write_covering_bbox": True, "compression": "zstd"}
"""Version 1.1, with a box for each outline: readers fetch only what they need (best practices of GeoParquet)."""


def with_all_columns(frame: Any) -> Any:
    """Return outlines with all columns: region and UTM zone follow from id and centre, other new ones are null.

    `is_rgi6` is 0, as no outline of a map is one of RGI 6.0.
    """
    import pandas

    full = frame.reindex(columns=[*COLUMNS, "geometry"])
    full["o1region"] = [region_of(rgi_id) for rgi_id in full["rgi_id"]]
    full["utm_zone"] = ((full["cenlon"] + 180) // 6).astype("Int64") % 60 + 1
    full["is_rgi6"] = 0
    for name, kind in COLUMNS.items():
        if kind == "str":
            full[name] = full[name].where(full[name].notna(), None).astype("object")
        else:
            full[name] = pandas.to_numeric(full[name]).astype(kind)
    return full


def region_of(rgi_id: str) -> str | None:
    """Return the first-order region that an id of RGI 6.0 or 7.0 names, as ``15``; None for any other id."""
    match = REGION.fullmatch(rgi_id)
    return (match["rgi6"] or match["rgi7"]) if match else None


def write_rgi(frame: Any, folder: Path) -> None:
    """Write outlines.gpkg and outlines.parquet into `folder`; the same features give the same bytes."""
    full = with_all_columns(frame)
    write_geopackage(folder / "outlines.gpkg", full, layer="outlines", geometry="MultiPolygon")
    full.to_parquet(folder / "outlines.parquet", index=False, **GEOPARQUET)
