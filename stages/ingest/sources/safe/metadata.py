"""Read the metadata of a Sentinel-2 product, in SAFE or as stored on AWS.

Fields are those of the Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), versions 13 to 15.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml
import defusedxml.ElementTree

from stages.common.errors import InputError
from stages.ingest.sources.acquisition import utc_time

BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
"""Bands in the order of their ``band_id``."""

XML_BYTES_MAX = 4 * 2**20
"""Largest metadata file that is read; the largest real one has half a megabyte. Parsed, XML of the shortest
elements takes 23 times as much memory."""

ORBITS, FIRST_YEAR = 143, 2015
"""Number of relative orbits of Sentinel-2, and the year of its launch."""

OFFSET_MAX, QUANTIFICATION_MAX = 1e4, 1e6
"""Bounds of what is stated for DN: they are -1000 and 10,000 since baseline 04.00. Beyond, a number is a mistake."""

TILE_ID = re.compile(
    r"^S2(?P<unit>[A-Z])_\w+_MSI_(?P<level>L1C|L2A)_TL_.*_T(?P<tile>\d{2}[A-Z]{3})_N(?P<baseline>\d{2}\.\d{2})$"
)


@dataclass(frozen=True, kw_only=True)
class ProductMetadata:
    """MTD_MSIL2A.xml or MTD_MSIL1C.xml."""

    uri: str
    """Name of the product, as ``S2A_MSIL2A_….SAFE``."""
    level: str
    baseline: str
    sensed: dt.datetime
    platform: str
    relative_orbit: int
    quantification: float
    """Reflectance = (DN + offset) / quantification."""
    offsets: Mapping[str, float] = field(default_factory=dict)
    """``BOA_ADD_OFFSET`` or ``RADIO_ADD_OFFSET`` by band; empty before baseline 04.00."""

    def scale_and_offset(self, band: str) -> tuple[float, float]:
        """Return the scale and offset of a band: reflectance = DN x scale + offset."""
        return 1 / self.quantification, self.offsets.get(band, 0.0) / self.quantification


@dataclass(frozen=True, kw_only=True)
class TileMetadata:
    """MTD_TL.xml of a granule (metadata.xml on AWS)."""

    tile: str
    """MGRS tile, as ``44RLV``."""
    level: str
    baseline: str
    sensed: dt.datetime
    platform: str
    sun_elevation_deg: float | None
    sun_azimuth_deg: float | None
    raster_masks: tuple[str, ...] = ()
    """File names of the masks that are rasters, as ``MSK_DETFOO_B02.jp2``; there are none before baseline 04.00."""


def product_metadata(content: bytes, where: object) -> ProductMetadata:
    """Read the metadata of a product.

    Raises
    ------
    InputError
        The content is not XML or not safe XML, or a field is absent.
    """
    root = parse(content, where)
    level = _text(root, "PROCESSING_LEVEL", where).removeprefix("Level-")
    scale_name, offset_name = (
        ("BOA_QUANTIFICATION_VALUE", "BOA_ADD_OFFSET")
        if level == "2A"
        else ("QUANTIFICATION_VALUE", "RADIO_ADD_OFFSET")
    )
    offsets = (_band_offset(node, where) for node in root.iter(offset_name))
    return ProductMetadata(
        uri=_text(root, "PRODUCT_URI", where),
        level=f"L{level}",
        baseline=_text(root, "PROCESSING_BASELINE", where),
        sensed=_time(_text(root, "PRODUCT_START_TIME", where), where),
        platform=_text(root, "SPACECRAFT_NAME", where).lower(),
        relative_orbit=int(_number(root, "SENSING_ORBIT_NUMBER", where, least=1, most=ORBITS)),
        quantification=_number(root, scale_name, where, least=1, most=QUANTIFICATION_MAX),
        offsets=dict(offsets),
    )


def tile_metadata(content: bytes, where: object) -> TileMetadata:
    """Read the metadata of a granule.

    Raises
    ------
    InputError
        The content is not XML or not safe XML, or a field is absent.
    """
    root = parse(content, where)
    name = _text(root, "TILE_ID", where)
    match = TILE_ID.match(name)
    if match is None:
        raise _unreadable(where, "a tile id such as S2A_OPER_MSI_L2A_TL_…_T44RLV_N05.09", name)
    sun = root.find(".//Mean_Sun_Angle")
    zenith, azimuth = (None if sun is None else _angle(sun, key, where) for key in ("ZENITH_ANGLE", "AZIMUTH_ANGLE"))
    masks = ((node.text or "").strip().rpartition("/")[2] for node in root.iter("MASK_FILENAME"))
    return TileMetadata(
        tile=match["tile"],
        level=match["level"],
        baseline=match["baseline"],
        sensed=_time(_text(root, "SENSING_TIME", where), where),
        platform=f"sentinel-2{match['unit'].lower()}",
        sun_elevation_deg=None if zenith is None else 90 - zenith,
        sun_azimuth_deg=azimuth,
        raster_masks=tuple(mask for mask in masks if not mask.endswith(".gml")),
    )


def parse(content: bytes, where: object) -> Element:
    """Parse XML of unknown origin: no entities, no DTD, at most `XML_BYTES_MAX`.

    Raises
    ------
    InputError
        The content is not XML, or not safe.
    """
    if len(content) > XML_BYTES_MAX:
        raise _unreadable(where, f"at most {XML_BYTES_MAX} bytes of XML", "more")
    try:
        return defusedxml.ElementTree.fromstring(content, forbid_dtd=True)
    except (ParseError, defusedxml.DefusedXmlException, ValueError) as error:
        raise _unreadable(where, "plain XML without DTD and entities", " ".join(str(error).split())) from error


def _band_offset(node: Element, where: object) -> tuple[str, float]:
    try:
        number = int(node.attrib["band_id"])
        if number < 0:
            raise IndexError(number)
        offset = float(node.text or "")
        if not abs(offset) <= OFFSET_MAX:
            raise ValueError(offset)
        return BANDS[number], offset
    except (KeyError, IndexError, ValueError) as error:
        raise _unreadable(
            where, f"{node.tag} with band_id 0 to 12 and within {OFFSET_MAX:g}", f"{node.attrib} {node.text}"
        ) from error


def _text(root: Element, name: str, where: object) -> str:
    node = next((node for node in root.iter() if node.tag.rpartition("}")[2] == name), None)
    if node is None or not (node.text or "").strip():
        raise _unreadable(where, f"the field {name}", "no such field")
    return str(node.text).strip()


def _number(root: Element, name: str, where: object, *, least: float, most: float) -> float:
    text = _text(root, name, where)
    try:
        number = float(text)
    except ValueError as error:
        raise _unreadable(where, f"a number in {name}", text) from error
    if not least <= number <= most:
        raise _unreadable(where, f"a positive number in {name}, from {least:g} to {most:g}", text)
    return number


def _angle(sun: Element, name: str, where: object) -> float | None:
    """Return an angle in degrees, or None: some granules at the edge of a swath say NaN."""
    text = sun.findtext(name) or "nan"
    try:
        angle_deg = float(text)
    except ValueError as error:
        raise _unreadable(where, f"degrees in {name}", text) from error
    if math.isnan(angle_deg):
        return None
    if not 0 <= angle_deg <= 360:
        raise _unreadable(where, f"degrees from 0 to 360 in {name}", text)
    return angle_deg


def _time(text: str, where: object) -> dt.datetime:
    try:
        time = utc_time(text)
        if time.year < FIRST_YEAR:
            raise ValueError(time.year)
    except (ValueError, OverflowError) as error:  # year 1 or 9999 in another zone is no year
        raise _unreadable(where, f"a time such as 2022-10-05T11:54:11.024Z, from {FIRST_YEAR} on", text) from error
    return time


def _unreadable(where: object, expected: str, actual: Any) -> InputError:
    return InputError(
        "the product's metadata cannot be read",
        where=where,
        expected=expected,
        found=actual,
        fix="download the product again; it must be in the compact SAFE format (made since December 2016)",
    )
