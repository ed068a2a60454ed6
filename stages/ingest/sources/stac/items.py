"""From an item of a catalogue to the metadata of a scene."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stages.common.errors import InputError
from stages.common.scene.harmonise import made_locally
from stages.common.scene.scene import SceneInfo
from stages.common.scene.stac import MGRS
from stages.ingest.sources.acquisition import read_each, scene_id, utc_time
from stages.ingest.sources.stac.profiles import Profile

PRODUCT_NAME = re.compile(
    r"^S2[A-Z]_MSIL(?P<level>1C|2A)_\d{8}T\d{6}_(?:N(?P<major>\d{2})(?P<minor>\d{2})_)?R(?P<orbit>\d{3})_T(?P<tile>\d{2}[A-Z]{3})_"
)
"""Names of Sentinel-2 products. The ids of the Planetary Computer leave the baseline out, product URIs have it."""

READABLE_PREFIXES = ("http://", "https://", "s3://")


@dataclass(frozen=True, kw_only=True)
class CatalogueItem:
    """A scene and its files, as an item describes them."""

    info: SceneInfo
    hrefs: Mapping[str, str]
    """Address of each layer, as the item gives it."""
    unfit: str | None
    """Why the scene cannot be used; None where it can."""


def parse_items(items: Iterable[Mapping[str, Any]], profile: Profile, required: Sequence[str]) -> list[CatalogueItem]:
    """Read items as `parse_item` does, and leave out those that cannot be read, with a warning.

    Raises
    ------
    InputError
        None of them can be read: the profile does not fit the catalogue.
    """
    return read_each(items, lambda item: parse_item(item, profile, required), what="it")


def parse_item(item: Mapping[str, Any], profile: Profile, required: Sequence[str]) -> CatalogueItem:
    """Read an item by a catalogue's profile.

    Parameters
    ----------
    required
        Layers without which the scene cannot be used.

    Raises
    ------
    InputError
        The item has no valid time, or is not an item of STAC.
    """
    try:
        return _parse(item, profile, required)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:  # JSON has Infinity
        raise InputError(
            "an item of the catalogue cannot be read",
            where=str(item.get("id") if isinstance(item, Mapping) else item)[:100],
            expected="an item of STAC with an id, properties and assets",
            found=f"{type(error).__name__}: {error}",
            fix="check that the profile fits the catalogue (ingest.stac.profile, url, collection)",
        ) from error


def _parse(item: Mapping[str, Any], profile: Profile, required: Sequence[str]) -> CatalogueItem:
    properties = item.get("properties") or {}
    product = str(properties.get(profile.product or "") or item.get("id"))
    name = PRODUCT_NAME.match(product)
    sensed = _sensed(item, properties)
    hrefs = _hrefs(item, profile)
    info = SceneInfo(
        id=scene_id(str(item["id"])),
        year=sensed.year,
        acquired=sensed,
        product=product,
        platform=_lower_case(properties.get("platform")),
        processing_level=f"L{name['level']}" if name else "L2A",
        processing_baseline=_baseline(properties, profile, name),
        relative_orbit=_orbit(properties, name),
        tile=_tile(properties, name),
        convention=profile.convention,
        boa_offset_applied=properties.get("earthsearch:boa_offset_applied"),
        **_sun(properties, profile),
    )
    return CatalogueItem(info=info, hrefs=hrefs, unfit=_unfit(info, hrefs, required))


def _unfit(info: SceneInfo, hrefs: Mapping[str, str], required: Sequence[str]) -> str | None:
    if missing := [layer for layer in required if layer not in hrefs]:
        return f"the item has no file of {', '.join(missing)}"
    if info.processing_baseline is None and info.convention != "always-offset":
        return "its processing baseline is not known, and with it its offset"
    if info.convention != "always-offset" and made_locally(info):
        return f"baseline {info.processing_baseline} is of a product made locally, and says nothing about its offset"
    if info.convention == "flagged" and info.boa_offset_applied is None:
        return "earthsearch:boa_offset_applied is absent, and with it its offset unknown"
    return None


def _hrefs(item: Mapping[str, Any], profile: Profile) -> dict[str, str]:
    assets = item.get("assets") or {}
    hrefs = {layer: str((assets.get(key) or {}).get("href", "")) for layer, key in profile.assets.items()}
    return {layer: href for layer, href in hrefs.items() if href.startswith(READABLE_PREFIXES)}


def _sensed(item: Mapping[str, Any], properties: Mapping[str, Any]) -> dt.datetime:
    text = properties.get("datetime") or properties.get("start_datetime")  # STAC: one of the two is there
    try:
        return utc_time(str(text))
    except ValueError as error:
        raise InputError(
            "an item of the catalogue has no time",
            where=str(item.get("id")),
            expected="a datetime such as 2020-10-05T05:26:41Z",
            found=text,
            fix="check that the profile fits the catalogue (ingest.stac.profile, url, collection)",
        ) from error


def _baseline(properties: Mapping[str, Any], profile: Profile, name: re.Match[str] | None) -> str | None:
    stated = next((str(properties[key]) for key in profile.baseline if properties.get(key)), None)
    in_name = f"{name['major']}.{name['minor']}" if name and name["major"] else None
    return stated if stated and re.fullmatch(r"\d{2}\.\d{2}", stated) else in_name


def _orbit(properties: Mapping[str, Any], name: re.Match[str] | None) -> int | None:
    stated = properties.get("sat:relative_orbit")
    return int(stated) if stated is not None else int(name["orbit"]) if name else None


def _tile(properties: Mapping[str, Any], name: re.Match[str] | None) -> str | None:
    stated = properties.get("grid:code") or properties.get("s2:mgrs_tile")
    return str(stated).removeprefix(MGRS) if stated else name["tile"] if name else None


def _sun(properties: Mapping[str, Any], profile: Profile) -> dict[str, float | None]:
    zenith = properties.get(profile.zenith)
    elevation = properties.get("view:sun_elevation", None if zenith is None else 90 - float(zenith))
    azimuth = properties.get("view:sun_azimuth", properties.get("s2:mean_solar_azimuth"))
    return {"sun_elevation_deg": _angle(elevation), "sun_azimuth_deg": _angle(azimuth)}


def _angle(value: Any) -> float | None:
    """Return an angle in degrees, None where it is not known; what is no angle is not an item of STAC."""
    if value is not None and not abs(value) <= 360:
        raise ValueError(f"an angle of {value} degrees")
    return value  # type: ignore[no-any-return]


def _lower_case(value: object) -> str | None:
    return str(value).lower() if value else None
