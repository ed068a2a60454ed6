"""The two maps of a year, image alone and outlines product, with the errors of their areas."""

from __future__ import annotations

from dataclasses import dataclass

from shapely.geometry.base import BaseGeometry

from stages.area import contract
from stages.area.error.delineation import delineation_sigma_km2
from stages.area.error.fused_error import FACTORS, fused_error
from stages.area.error.interval import Factors, interval_factors
from stages.area.error.model_error import ModelError, model_error
from stages.area.fusion.fuse import OutlinesProduct, is_glacier
from stages.area.map.polygons import trace_mask
from stages.area.map.surface import remove_speckle
from stages.area.site import AreaSite
from stages.area.year.cover import IceCover, ice_cover
from stages.area.year.map_area import MapArea
from stages.common.geo.planes import Bits
from stages.common.machine import give_back_memory
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.tables.learning import MapModel


@dataclass(frozen=True, kw_only=True)
class YearMaps:
    """Ice of a year within the AOI by two products, and the areas."""

    image: Bits
    """(H, W): ice by the image alone."""
    ice: Bits
    """(H, W): ice by the outlines product; the same as `image` where areas are to come from images alone."""
    cover: IceCover
    of_ice: MapArea
    of_image: MapArea | None
    """None where `ice` is the image's map."""

    @property
    def image_area_km2(self) -> float:
        """Ice by the image alone."""
        return (self.of_image or self.of_ice).glacier_area_km2


def map_year(
    run: Run, site: AreaSite, year: int, *, image_map: Bits, observed: Bits, product: OutlinesProduct | None,
    min_pixels: float,
) -> YearMaps:  # fmt: skip
    """Map a year by both products and measure the areas; by images alone where `product` is None.

    What a person changed (`stages.area.review`) is in the map that areas and outlines are of.

    Parameters
    ----------
    image_map, observed
        (H, W): ice by the image alone, without speckle, and observed pixels.
    min_pixels
        Smaller pieces of the outlines product are speckle.
    """
    counted = observed & site.aoi
    model = read_document(run.by_year(contract.MAP_MODEL)[year], MapModel)
    probability, votes = run.by_year(contract.PROBABILITY)[year], run.by_year(contract.VOTES)[year]
    error = model_error(site, counted, model, probability=probability, votes=votes)
    factors = interval_factors(model, run.params.area.interval_factors)
    if product is None:
        image_map = site.edited(year, image_map, observed)
        image = image_map & site.aoi
        cover = ice_cover(run, site, year, ice=image, observed=counted)
        alone = measure_map(run, site, image_map, observed, cover, model=error, factors=factors)
        return YearMaps(image=image, ice=image, cover=cover, of_ice=alone, of_image=None)
    levels, image = product.levels(year), image_map & site.aoi
    ice, _ = remove_speckle(is_glacier(levels, observed), observed, min_pixels=min_pixels)
    ice = site.edited(year, ice, observed)
    inside = ice & site.aoi
    give_back_memory()  # GDAL's blocks, of the probability here and of the scene below
    cover = ice_cover(run, site, year, ice=inside, observed=counted)
    give_back_memory()
    within, fused = trace_mask(counted[:]), fused_error(site, counted, levels)
    of_ice = measure_map(run, site, ice, observed, cover, model=fused, factors=FACTORS, within=within)
    of_image = measure_map(run, site, image_map, observed, cover, model=error, factors=factors, within=within)
    return YearMaps(image=image, ice=inside, cover=cover, of_ice=of_ice, of_image=of_image)


def measure_map(
    run: Run, site: AreaSite, ice: Bits, observed: Bits, cover: IceCover, *, model: ModelError | None,
    factors: Factors, within: BaseGeometry | None = None,
) -> MapArea:  # fmt: skip
    """Measure a map of (H, W) ice and the error of its boundary; `within` as in `delineation_sigma_km2`."""
    return MapArea(
        mapped_km2=site.areas_km2(mapped=ice & site.aoi)["mapped"],
        delineation_km2=delineation_sigma_km2(site, ice, observed, run.params.area, clean=cover.clean, within=within),
        model=model,
        factors=factors,
    )
