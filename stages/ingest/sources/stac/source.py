"""Source ``stac``: Sentinel-2 L2A from a STAC API. Only the site's window of each file is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from stages.common.errors import ParamsError
from stages.common.params.schema import Params
from stages.common.scene.scene import SCL, Layer
from stages.ingest.region import Region
from stages.ingest.sources.acquisition import Acquisition
from stages.ingest.sources.stac.items import CatalogueItem, read_item
from stages.ingest.sources.stac.profiles import PROFILES
from stages.ingest.sources.stac.remote import RemoteFiles
from stages.ingest.sources.stac.search import search

DN_NODATA = 0.0


def acquisitions(params: Params, region: Region) -> Iterator[Acquisition]:
    """One candidate an item, by time; items that lack a file or a baseline come with the reason why they are unfit.

    Raises
    ------
    ParamsError, InputError
        The section is absent, a band unknown, or the catalogue cannot be searched.
    """
    wanted = params.ingest.stac
    if wanted is None:
        raise _wrong("the source's parameters are absent", "ingest.stac", "profile", "nothing")
    profile = replace(
        PROFILES[wanted.profile],
        url=wanted.url or PROFILES[wanted.profile].url,
        collection=wanted.collection or PROFILES[wanted.profile].collection,
        token_url=wanted.token_url or PROFILES[wanted.profile].token_url,
    )
    layers = [*params.prepare.imagery_bands, SCL]
    if unknown := [name for name in layers if name not in profile.assets]:
        raise _wrong("the catalogue has no such band", "prepare.bands", f"some of {list(profile.assets)}", unknown)
    items = search(profile.url, profile.collection, region, years=params.years, season=params.ingest.season)
    found = [read_item(item, profile, layers) for item in items]
    remote = RemoteFiles(profile=profile, region=region)
    for one in sorted(found, key=lambda one: (str(one.info.acquired), one.info.id)):
        if not wanted.tiles or one.info.tile in wanted.tiles:
            yield _acquisition(one, layers, remote)


def _acquisition(found: CatalogueItem, names: Sequence[str], remote: RemoteFiles) -> Acquisition:
    layer = partial(_layer, found.hrefs, remote)

    def layers() -> Iterator[Layer]:
        yield from (one for one in map(layer, names) if one is not None)

    return Acquisition(info=found.info, layers=layers, layer_count=len(names), layer=layer, unfit=found.unfit)


def _layer(hrefs: Mapping[str, str], remote: RemoteFiles, name: str) -> Layer | None:
    href = hrefs.get(name)
    return None if href is None else remote.layer(name, href, nodata=None if name == SCL else DN_NODATA)


def _wrong(what: str, where: str, expected: str, found: object) -> ParamsError:
    return ParamsError(
        what,
        where=f"params.yaml: {where}",
        expected=expected,
        found=found,
        fix="see docs/data.md for a catalogue's bands",
    )
