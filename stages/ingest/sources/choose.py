"""Which source of imagery a site's parameters name."""

from __future__ import annotations

from stages.common.errors import ParamsError
from stages.common.params.schema import Params
from stages.ingest.sources.acquisition import Supply

LISTED_SOURCES = frozenset({"raster"})
"""Sources whose scenes params.yaml lists one by one. All of these are taken; of other sources the best are chosen."""


def source_for(params: Params) -> Supply:
    """Return the source that ``ingest.source`` names. A new source is a new module and a new line here.

    Raises
    ------
    ParamsError
        ``site.simulated`` does not agree with the source.
    """
    from stages.ingest.sources import raster as rasters
    from stages.ingest.sources.safe import source as safe
    from stages.ingest.sources.stac import source as stac_source
    from stages.ingest.sources.twin import source as twin

    supplies = {
        "raster": Supply(acquisitions=rasters.acquisitions),
        "safe": Supply(acquisitions=safe.acquisitions),
        "stac": Supply(acquisitions=stac_source.acquisitions),
        "twin": Supply(acquisitions=twin.acquisitions, outlines=twin.outlines, dem=twin.dem, truth=twin.write_truth),
    }
    supply = supplies[params.ingest.source]
    if params.site.simulated != (supply.truth is not None):
        raise ParamsError(
            "site.simulated does not agree with the source",
            where="params.yaml: site.simulated",
            expected=f"{str(supply.truth is not None).lower()} for the source {params.ingest.source}",
            found=str(params.site.simulated).lower(),
            fix="correct it, or ingest.source: simulated data must never pass for measurements",
        )
    return supply
