"""Source ``stac``: Sentinel-2 L2A from a STAC API. Only the site's window of each file is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from stages.common.errors import ParamsError
from stages.common.params.schema import Params
from stages.common.scene.scene import SCL, Layer
from stages.ingest.region import Region
from stages.ingest.season import in_year, year_start
from stages.ingest.sources.acquisition import Acquisition
from stages.ingest.sources.stac.items import CatalogueItem, parse_items
from stages.ingest.sources.stac.profiles import PROFILES
from stages.ingest.sources.stac.remote import RemoteFiles
from stages.ingest.sources.stac.search import search

DN_NODATA = 0.0


def acquisitions(params: Params, region: Region) -> Iterator[Acquisition]:
    """Yield one acquisition per item, by time; items that lack a file or a baseline say why they are unfit.

    Raises
    ------
    ParamsError, InputError
        The section is absent, a band unknown, or the catalogue cannot be searched.
    """
    stac = params.ingest.stac
    if stac is None:
        raise _params_error("the source's parameters are absent", "ingest.stac", "profile", "nothing")
    profile = replace(
        PROFILES[stac.profile],
        url=stac.url or PROFILES[stac.profile].url,
        collection=stac.collection or PROFILES[stac.profile].collection,
        token_url=stac.token_url or PROFILES[stac.profile].token_url,
    )
    layers = [*params.prepare.imagery_bands, SCL]
    if unknown := [name for name in layers if name not in profile.assets]:
        raise _params_error(
            "the catalogue has no such band", "prepare.bands", f"some of {list(profile.assets)}", unknown
        )
    private, starts = stac.private_addresses, year_start(params, region)
    items = search(
        profile.url,
        profile.collection,
        region,
        years=params.years,
        season=params.ingest.season,
        starts=starts,
        private=private,
    )
    scenes = parse_items(items, profile, layers)
    remote = RemoteFiles(profile=profile, region=region, private=private)
    for scene in sorted(scenes, key=lambda scene: (str(scene.info.acquired), scene.info.id)):
        if not stac.tiles or scene.info.tile in stac.tiles:
            yield _acquisition(replace(scene, info=in_year(scene.info, starts)), layers, remote)


def _acquisition(item: CatalogueItem, names: Sequence[str], remote: RemoteFiles) -> Acquisition:
    layer = partial(_layer, item.hrefs, remote)

    def layers() -> Iterator[Layer]:
        yield from (band for band in map(layer, names) if band is not None)

    return Acquisition(info=item.info, layers=layers, layer_count=len(names), layer=layer, unfit=item.unfit)


def _layer(hrefs: Mapping[str, str], remote: RemoteFiles, name: str) -> Layer | None:
    href = hrefs.get(name)
    return None if href is None else remote.layer(name, href, nodata=None if name == SCL else DN_NODATA)


def _params_error(what: str, where: str, expected: str, actual: object) -> ParamsError:
    return ParamsError(
        what,
        where=f"params.yaml: {where}",
        expected=expected,
        found=actual,
        fix="see docs/data.md for the catalogues and their bands",
    )
