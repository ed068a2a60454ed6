"""What differs from one STAC catalogue to another, as a table: a new catalogue is a new entry.

Read from real items of each catalogue in 2020-2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from stages.common.scene.harmonise import Convention
from stages.common.scene.scene import SCL

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12")
"""Bands of L2A."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """One catalogue's collection of Sentinel-2 L2A."""

    url: str
    """Address of the API's landing page."""
    collection: str
    assets: Mapping[str, str]
    """Asset key of each band and of the scene classification."""
    convention: Convention
    baseline: tuple[str, ...]
    """Properties that may hold the processing baseline: the first that an item has counts, else the product's name."""
    product: str | None
    """Property with the product's URI; None: the item's id is used."""
    access: Literal["open", "sas", "s3"] = "open"
    """How files are read. open: by anybody; sas: a token from `token_url` is added to each address and renewed when it
    expires; s3: with keys from the environment (`stages.common.settings`)."""
    token_url: str = ""
    """Address of the tokens, for the access sas."""
    s3_endpoint: str = ""
    """Host of the files, for the access s3."""
    zenith: str = ""
    """Property with the sun's zenith angle, where its elevation is not given."""
    gdal: Mapping[str, str] = field(default_factory=dict)
    """Options of GDAL that this catalogue's files need."""


EARTH_SEARCH_ASSETS = {
    "B01": "coastal", "B02": "blue", "B03": "green", "B04": "red", "B05": "rededge1", "B06": "rededge2",
    "B07": "rededge3", "B08": "nir", "B8A": "nir08", "B09": "nir09", "B11": "swir16", "B12": "swir22", SCL: "scl",
}  # fmt: skip

FINEST_M = {"B02": 10, "B03": 10, "B04": 10, "B08": 10, "B01": 60, "B09": 60}
"""Finest resolution of the bands in metres, 20 for those not listed: at the Copernicus Data Space each resolution is an
asset of its own."""

PROFILES: Mapping[str, Profile] = {
    "copernicus-dataspace": Profile(
        # JPEG 2000 as ESA delivers it, on S3 with keys; Collection 1 (N0500) reaches back to 2015.
        url="https://stac.dataspace.copernicus.eu/v1",
        collection="sentinel-2-l2a",
        assets={name: f"{name}_{FINEST_M.get(name, 20)}m" for name in BANDS} | {SCL: "SCL_20m"},
        convention="by-baseline",
        baseline=("processing:version",),
        product=None,
        access="s3",
        s3_endpoint="eodata.dataspace.copernicus.eu",
        gdal={"AWS_VIRTUAL_HOSTING": "FALSE", "AWS_REGION": "default"},
    ),
    "earth-search-c1": Profile(
        # Collection 1: the offset is always in the pixels, and raster:bands says so.
        url="https://earth-search.aws.element84.com/v1",
        collection="sentinel-2-c1-l2a",
        assets=EARTH_SEARCH_ASSETS,
        convention="always-offset",
        baseline=("s2:processing_baseline", "processing:version"),
        product="s2:product_uri",
    ),
    "earth-search": Profile(
        # The offset was taken out of the pixels of some items: earthsearch:boa_offset_applied. raster:bands of those
        # may still state -0.1, so it is not read: following both would subtract the offset twice.
        url="https://earth-search.aws.element84.com/v1",
        collection="sentinel-2-l2a",
        assets=EARTH_SEARCH_ASSETS,
        convention="flagged",
        baseline=("s2:processing_baseline",),
        product="s2:product_uri",
    ),
    "planetary-computer": Profile(
        # The offset is not stated, and it is never taken out. Addresses need a token that lasts 45 minutes.
        url="https://planetarycomputer.microsoft.com/api/stac/v1",
        collection="sentinel-2-l2a",
        assets={name: name for name in BANDS} | {SCL: "SCL"},
        convention="by-baseline",
        baseline=("s2:processing_baseline",),
        product="s2:product_uri",
        access="sas",
        token_url="https://planetarycomputer.microsoft.com/api/sas/v1/token/sentinel-2-l2a",
        zenith="s2:mean_solar_zenith",
    ),
}
