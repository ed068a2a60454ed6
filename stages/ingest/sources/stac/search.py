"""Search a STAC API by AOI and season, for every year: all pages of the answer, or an error."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from stages.common import settings
from stages.common.errors import InputError
from stages.common.params.ingest import SeasonParams
from stages.ingest.region import Region
from stages.ingest.season import CALENDAR_YEAR, season_dates

log = logging.getLogger("ingest")

PAGE_ITEMS = 100
"""Items per page; catalogues allow 100 to 10,000."""

ITEMS_MAX = 20_000
"""Most items of a year: a hundred tiles, each seen every second day, are fewer. A server may go on for ever."""


def search(
    url: str,
    collection: str,
    region: Region,
    *,
    years: Sequence[int],
    season: SeasonParams | None,
    starts: str = CALENDAR_YEAR,
    private: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Return the items that touch the AOI, of the season of each year, sorted by id.

    Parameters
    ----------
    starts
        First day, MM-DD, of a year of the series.
    private
        Whether the catalogue may lie in a private network.

    Raises
    ------
    InputError
        The catalogue cannot be reached, gives an invalid answer, or does not give all pages.
    """
    import pystac_client
    from pystac_client.exceptions import APIError
    from requests.exceptions import RequestException

    from stages.ingest.sources.stac.session import bounded_io

    io = bounded_io(private=private)
    try:
        client = pystac_client.Client.open(url, stac_io=io)
        items: dict[str, dict[str, Any]] = {}
        for year in years:
            pages = client.search(
                collections=[collection], intersects=_aoi_geojson(region), limit=PAGE_ITEMS,
                datetime=datetime_range(year, season, starts), method="POST",
            ).pages_as_dicts()  # fmt: skip
            items |= {str(item["id"]): item for item in _all_items(pages, url)}
    except (
        APIError,
        RequestException,
        NotImplementedError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        raise _unsearchable(url, collection, error) from error
    return [items[name] for name in sorted(items)]


def _unsearchable(url: str, collection: str, error: Exception) -> InputError:
    return InputError(
        "the catalogue cannot be searched",
        where=url,
        expected=f"a STAC API with the collection {collection}",
        found=" ".join(settings.without_secrets(str(error)).split())[:300],
        fix="check the network and ingest.stac (profile, url); if the catalogue is down, try again later",
    )


def _all_items(pages: Iterator[dict[str, Any]], url: str) -> Iterator[dict[str, Any]]:
    """Yield the items of all pages, each once.

    A server that ignores the token of the next page gives the first page again and again: what it withholds is unknown.
    """
    yielded: set[str] = set()
    matched, nameless = None, 0
    for page in pages:
        items = [item for item in page["features"] if item.get("id")]
        nameless += len(page["features"]) - len(items)
        matched = page.get("numberMatched", (page.get("context") or {}).get("matched", matched))
        fresh = [item for item in items if item["id"] not in yielded]
        if items and not fresh:
            raise _incomplete(url, f"the same {len(items)} items on page after page")
        yielded |= {str(item["id"]) for item in fresh}
        if len(yielded) > ITEMS_MAX:
            raise _incomplete(url, f"more than {ITEMS_MAX} items in one year's season")
        yield from fresh
    if nameless:
        log.warning("%s: %d item(s) have no id and are left out", url, nameless)
    if matched is not None and len(yielded) + nameless < int(matched):
        raise _incomplete(url, f"{len(yielded)} items, of {matched} matching items")


def _incomplete(url: str, actual: str) -> InputError:
    return InputError(
        "the catalogue does not give all pages of its answer",
        where=url,
        expected="each matching item once",
        found=actual,
        fix="narrow ingest.season until the answer fits a page, or take another catalogue",
    )


def _aoi_geojson(region: Region) -> dict[str, Any]:
    """Return the convex hull of the AOI as GeoJSON in degrees, with nodes along its edges."""
    import shapely

    left, bottom, right, top = region.aoi.total_bounds
    dense = region.aoi.geometry.segmentize(max(right - left, top - bottom) / 8).to_crs("EPSG:4326")
    return dict(shapely.geometry.mapping(dense.union_all().convex_hull))


def datetime_range(year: int, season: SeasonParams | None, starts: str) -> str:
    """Return the season of a year of the series as a catalogue is asked for it."""
    first, last = season_dates(year, season, starts)
    return f"{first}T00:00:00Z/{last}T23:59:59Z"
