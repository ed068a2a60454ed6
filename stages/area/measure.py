"""Measure the glacier area of every year: masks in, km2 per year out."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from stages.area import contract
from stages.area.change_domain.series import ChangeSeries
from stages.area.change_domain.several_maps import member_maps, pass_maps
from stages.area.change_domain.write import change_metrics, write_change_product
from stages.area.fronts.geometry import write_front_vectors
from stages.area.fronts.retreat import front_rows, front_trend_rows
from stages.area.fronts.series import FrontSeries, start_front_series
from stages.area.fusion.fuse import OutlinesProduct
from stages.area.fusion.maps import YearMaps, map_year
from stages.area.gates.drift import drift_rows, input_drift
from stages.area.gates.nearness import FarIce, LastingIce, near_outlines
from stages.area.gates.old_outline import iou_over_old_outline
from stages.area.gates.sanity import judge_areas
from stages.area.map.elevation import read_dem
from stages.area.map.geodesic import check_geodesic
from stages.area.map.outlines import outline_frame, write_outlines
from stages.area.map.polygons import trace_zones
from stages.area.map.surface import remove_speckle
from stages.area.site import AreaSite, heights_of, read_map, read_site
from stages.area.tables.rows import area_metrics, truth_metrics
from stages.area.tables.write import write_area_tables
from stages.area.trends.glacier_trend import glacier_trends
from stages.area.trends.statement import make_trend
from stages.area.year.change import Changes, ObservedMap
from stages.area.year.counted import (
    CommonGround,
    common_ground,
    ground_of,
    is_rejected,
    observed_fraction,
    rejected_glaciers,
)
from stages.area.year.season import Season, measure_season
from stages.area.year.truth import TrueSurface, compare_with_truth, read_truth
from stages.area.year.year_area import YearArea, decimal_year, processing_baselines
from stages.common.display.phrases import CHANGE_PRODUCT, COMMON_AREA, PRODUCTS
from stages.common.gates import apply_overrides
from stages.common.geo.planes import Bits
from stages.common.geo.raster import gdal_env
from stages.common.machine import give_back_memory
from stages.common.params.area import AreaParams
from stages.common.run.outputs import write_json, write_table
from stages.common.run.records import file_md5, read_document
from stages.common.run.stage import Run
from stages.common.tables.area import AreaMetrics, FrontRow, FrontTrendRow, Gates, Trend
from stages.common.tables.drift import Drift, DriftRow
from stages.common.tables.prepare import Provenance


@dataclass(frozen=True)
class FrontsAndChanges:
    """Collects fronts and changes from each year's image alone; their tables are written after the last year."""

    run: Run
    fronts: FrontSeries
    changes: Changes
    far: FarIce
    change_product: ChangeSeries
    outlines_product: OutlinesProduct | None
    """None where areas are to come from images alone (`area.outlines`)."""

    @classmethod
    def start(cls, run: Run, site: AreaSite, common: Bits) -> FrontsAndChanges:
        """Return a collection without any year yet."""
        params, dem = run.params.area, read_dem(run)
        heights = heights_of(site, dem)
        near = near_outlines(site, largest_m=params.assign_distance_m)
        return cls(
            run,
            start_front_series(run, site, dem),
            Changes(site=site, out=run.out),
            FarIce(site=site, near=near),
            ChangeSeries.start(site, heights, common, params.change),
            OutlinesProduct.start(run, site, heights) if params.outlines == "fused" else None,
        )

    def add(self, year_area: YearArea, provenance: Provenance, *, ice: Bits, observed: Bits) -> None:
        """Take a year's map from the image alone: ice and observed pixels, both (H, W) within the AOI.

        A year left out of the common area is left out of the change maps too; a front needs no other year.
        """
        probability = self.run.by_year(contract.PROBABILITY)[year_area.year]
        counted = Bits(observed.shape) if year_area.rejected else observed  # the fronts of a rejected map are not seen
        self.fronts.add(year_area, provenance, ice=ice & counted, observed=counted, probability=probability)
        self.change_product.add(
            year_area, ice=ice, observed=observed, members=member_maps(self.run, year_area.year, observed),
            passes=pass_maps(self.run, year_area.year, observed),
        )  # fmt: skip
        if year_area.common_km2 is not None:
            self.far.add(ice=ice, observed=observed)
            self.changes.add(ObservedMap(year=year_area.year, ice=ice, observed=observed))

    def write(self) -> None:
        """Write the tables of the fronts; that of the changes is written with the areas, as it has their decimals."""
        out, glaciers = self.run.out, self.changes.site.glaciers
        write_table(out / "terminus_by_year.csv", front_rows(self.fronts, glaciers), FrontRow)
        write_table(out / "terminus_by_glacier.csv", front_trend_rows(self.fronts, glaciers), FrontTrendRow)
        write_front_vectors(out, self.fronts, glaciers, crs=self.changes.site.grid.crs)


def measure(run: Run) -> AreaMetrics:
    """Write areas, outlines, trends and gate findings of all years."""
    params = run.params.area
    with gdal_env():
        site = read_site(run)
        truth = read_truth(run.path(contract.TRUTH), run.path(contract.TRUE_SURFACE))
        common = common_ground(run, site)
        collected = FrontsAndChanges.start(run, site, common.compared)
        year_areas = [
            measure_year(run, site, year, common, truth, collected=collected)
            for year in tqdm(run.params.years, desc="area", unit="year", disable=None)
        ]
        collected.write()
        site.review.write(run.out, run.params.years)
    glaciers = glacier_trends(
        year_areas, site.glaciers, outlines_km2=site.outlines_km2, params=params,
        common_outlines_km2=site.areas_km2(common=site.prior & common.pixels)["common"],
    )  # fmt: skip
    trend = make_trend(
        year_areas, glaciers, rho=params.correlation_between_years,
        common_pixels_fraction=float(common.compared.sum() / site.aoi.sum()),
    )  # fmt: skip
    run.log.info("%s: %s; %s", COMMON_AREA, trend.statement, glaciers.note)
    if collected.outlines_product:
        run.log.info("outlines product: %s", collected.outlines_product.statement)
        write_json(run.out / "outlines_product.json", collected.outlines_product.document())
    product = collected.change_product
    change_trend = product.trend(change_fit := product.fit())
    run.log.info("%s: %s", CHANGE_PRODUCT, change_trend.statement)
    drifts = _drifts(run)
    gates = _judge(run, site, year_areas, trend, drifts, lasting=collected.far.lasting())
    changes = collected.changes.rows
    write_area_tables(run.out, site, year_areas, glaciers, changes, model_md5=file_md5(run.path(contract.MODEL)))
    write_table(run.out / "drift_by_year.csv", drift_rows(drifts), DriftRow)
    write_json(run.out / "trend.json", trend)
    write_json(run.out / "gates.json", gates)
    write_change_product(run.out, product.rows(change_fit), change_trend)
    of_change = change_metrics(change_fit, change_trend, product.used)
    return area_metrics(year_areas, trend, gates.findings, change=of_change)


def _drifts(run: Run) -> list[Drift]:
    return [read_document(path, Drift) for path in run.by_year(contract.DRIFT).values() if path.exists()]


def _judge(
    run: Run, site: AreaSite, year_areas: list[YearArea], trend: Trend, drifts: list[Drift], *, lasting: LastingIce
) -> Gates:
    """Return the findings of all gates, overrides applied, and log those that failed."""
    bounds, outlines_km2 = run.params.gates, float(site.outlines_km2.sum())
    findings = judge_areas(
        year_areas, trend, aoi_km2=site.aoi_km2, outlines_km2=outlines_km2, bounds=bounds, lasting=lasting
    )
    findings.append(input_drift(drifts, maximum=bounds.drift_psi_max))
    truth = truth_metrics(year_areas, trend)
    findings.extend(iou_over_old_outline(truth, minimum=bounds.iou_over_old_outline_min))
    gates = Gates(findings=apply_overrides(findings, bounds.override))
    _report_gates(run.log, gates)
    return gates


def measure_year(
    run: Run, site: AreaSite, year: int, common: CommonGround, truth: TrueSurface | None, *, collected: FrontsAndChanges
) -> YearArea:
    """Measure one year's maps, write its outlines and hand the image's map to `collected`.

    The ground of a glacier that a person rejected counts as not seen. Its outline is written as it was looked at.
    """
    image, visible = read_map(run.by_year(contract.MASK)[year], run.by_year(contract.VALID)[year])
    image_map, pieces = remove_speckle(image, visible, min_pixels=_min_pixels(site, run.params.area))
    rejected = rejected_glaciers(site, year)
    observed = visible & ~ground_of(site, rejected) if rejected else visible
    observed_inside = observed & site.aoi
    product = collected.outlines_product
    looked_at = _map_year(run, site, year, image_map, visible, product=product)
    maps = _map_year(run, site, year, image_map, observed, product=product) if rejected else looked_at
    km2 = site.areas_by_rows_km2(
        lambda rows: {
            "common": looked_at.image[rows] & common.pixels[rows],
            "unseen": site.prior[rows] & ~observed[rows],
            "removed": image[rows] & ~image_map[rows] & site.aoi[rows],
            "debris": maps.cover.debris_of(maps.ice, rows),
            "aoi": observed_inside[rows],
            "outlines": site.prior[rows] & observed[rows],
            "far": maps.image[rows] & ~collected.far.near[rows],
        }
    )
    season = _season(run, site, year, image_map)
    provenance = read_document(run.by_year(contract.PROVENANCE)[year], Provenance)
    time, dated = decimal_year(provenance)
    year_area = YearArea(
        **vars(maps.of_ice), image=maps.of_image,
        year=year, decimal_year=time, dated=dated, date=provenance.date,
        scene_ids=";".join(source.id for source in provenance.sources),
        baselines=processing_baselines(provenance),
        debris_km2=None if maps.cover.clean is None else km2["debris"],
        surface_method=maps.cover.method,
        unseen_km2=km2["unseen"],
        common_by_glacier_km2=km2["common"] if year in common.years else None,
        aoi_observed_km2=float(km2["aoi"].sum()),
        outlines_observed_km2=float(km2["outlines"].sum()),
        far_km2=float(km2["far"].sum()),
        valid_fraction=observed_fraction(site, visible),
        speckle_km2=float(km2["removed"].sum()),
        speckle_pieces=pieces,
        rejected=is_rejected(run, site, year),
        rejected_glaciers=rejected,
        left_out=common.left_out,
        **_truths(site, truth, year, maps, observed=observed_inside, common=common.compared),
        sigma_season_km2=season.sigma_km2(maps.image_area_km2) if season else None,
        season=season.rows if season else (),
    )  # fmt: skip
    _write_outlines(run, site, year_area, looked_at)
    collected.add(year_area, provenance, ice=maps.image, observed=observed_inside)
    _report_year(run.log, year_area)
    return year_area


def _map_year(
    run: Run, site: AreaSite, year: int, image_map: Bits, observed: Bits, *, product: OutlinesProduct | None
) -> YearMaps:
    maps = map_year(
        run, site, year, image_map=image_map & observed, observed=observed, product=product,
        min_pixels=_min_pixels(site, run.params.area),
    )  # fmt: skip
    give_back_memory()
    return maps


def _truths(
    site: AreaSite, truth: TrueSurface | None, year: int, maps: YearMaps, *, observed: Bits, common: Bits
) -> dict[str, Any]:
    """Return `truth` and `image_truth` of a year; nothing for a real site."""
    if truth is None:
        return {}
    surface = truth.of_year(year, site.scratch)
    both = {"truth": maps.ice, "image_truth": maps.image}
    return dict(compare_with_truth(site, surface, both, observed=observed, common=common))


def _min_pixels(site: AreaSite, params: AreaParams) -> float:
    return params.min_polygon_area_m2 / site.grid.pixel_size_m**2


def _season(run: Run, site: AreaSite, year: int, ice: Bits) -> Season | None:
    season = measure_season(
        site, year, ice, passes_json=run.by_year(contract.PASSES)[year], masks=run.by_year(contract.PASS_MASKS)[year],
        min_pixels=_min_pixels(site, run.params.area),
    )  # fmt: skip
    if season:
        areas = ", ".join(f"{row.date or 'no day'} {row.area_km2:.2f}" for row in season.rows)
        run.log.info(
            "%d: the passes map %s km² over the pixels that all of them observed; one pass has a standard deviation of "
            "%.2f km²; the year's map has %.2f km² there",
            year, areas, season.spread_km2, season.consensus_km2,
        )  # fmt: skip
    return season


def _write_outlines(run: Run, site: AreaSite, year_area: YearArea, maps: YearMaps) -> None:
    give_back_memory()
    polygons = trace_zones(site.owner, maps.ice, site.grid.transform)
    give_back_memory()
    path = run.out / f"outlines_{year_area.year}.gpkg"
    where = f"mapped outlines of {year_area.year}"
    check_geodesic(maps.of_ice.glacier_area_km2, polygons.values(), site.grid.crs, where=where)
    areas_km2 = maps.of_ice.mapped_km2.tolist()
    frame = outline_frame(
        polygons, site.rgi_ids, areas_km2, crs=site.grid.crs, date=year_area.date, prior=site.outlines
    )
    write_outlines(path, frame)


def _report_year(log: logging.Logger, year_area: YearArea) -> None:
    log.info(
        "%d: %.2f ± %.2f km² (95 %%; %s); %.1f %% of the AOI was observed, %.2f km² of the outlines are unseen; "
        "%.2f km² of speckle in %d pieces was removed",
        year_area.year, year_area.glacier_area_km2, year_area.half_width_km2(95), PRODUCTS[year_area.product],
        100 * year_area.valid_fraction,
        float(np.sum(year_area.unseen_km2)), year_area.speckle_km2, year_area.speckle_pieces,
    )  # fmt: skip


def _report_gates(log: logging.Logger, gates: Gates) -> None:
    """Log which gates failed; the last stage, `gate`, fails the run, so that there is a report first."""
    for finding in gates.findings:
        if finding.overridden or not finding.passed:
            log.warning("gate %s%s: %s", finding.gate, " (overridden)" * finding.overridden, finding.message)
