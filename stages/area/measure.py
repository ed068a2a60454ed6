"""The stage's verb: masks in, km2 a year out."""

from __future__ import annotations

import logging

import numpy as np
from tqdm import tqdm

from stages.area import contract
from stages.area.gates import judge
from stages.area.geodesic import check_geodesic
from stages.area.outlines import outline_frame, write_outlines
from stages.area.polygons import buffer_sigma_px, trace
from stages.area.rows import area_metrics, area_row, glacier_rows, truth_rows
from stages.area.series import YearArea, baselines_of, decimal_year
from stages.area.site import Site, read_map, read_site
from stages.area.surface import remove_speckle
from stages.area.trend import make_trend
from stages.area.truth import TrueSurface, compare, read_truth
from stages.common.outputs import write_json, write_table
from stages.common.params_area import AreaParams
from stages.common.raster import gdal_env
from stages.common.records import file_md5, read_document
from stages.common.stage import Run
from stages.common.tables import Provenance
from stages.common.tables_area import AreaMetrics, AreaRow, Gates, GlacierAreaRow, Trend
from stages.common.tables_truth import TruthRow
from stages.common.types import BoolArray


def measure(run: Run) -> AreaMetrics:
    """Write areas, outlines, trend and gate findings of all years."""
    with gdal_env():
        site = read_site(run)
        truth = read_truth(run.path(contract.TRUTH), run.path(contract.TRUE_SURFACE))
        common = common_pixels(run, site)
        series = [
            measure_year(run, site, year, common, truth)
            for year in tqdm(run.params.years, desc="area", unit="year", disable=None)
        ]
    trend = make_trend(series, common_pixels_fraction=float(common.sum() / site.aoi.sum()))
    run.log.info("%s", trend.statement)
    gates = Gates(
        findings=judge(
            series, aoi_km2=site.aoi_km2, outlines_km2=float(site.outlines_km2.sum()), bounds=run.params.gates
        )
    )
    _write(run, site, series, trend, gates)
    return area_metrics(series, trend, gates_failed=_report_gates(run.log, gates))


def common_pixels(run: Run, site: Site) -> BoolArray:
    """(H, W): pixels of the AOI seen in every year that counts; none, if no year does."""
    common, counted = site.aoi.copy(), False
    valid = run.by_year(contract.VALID)
    for year, mask in run.by_year(contract.MASK).items():
        _, seen = read_map(mask, valid[year])
        if valid_fraction(site, seen) >= run.params.area.common_valid_fraction_min:
            common &= seen
            counted = True
    return common & counted


def valid_fraction(site: Site, seen: BoolArray) -> float:
    """Part of the AOI's pixels that were seen."""
    return float((seen & site.aoi).sum() / site.aoi.sum())


def measure_year(run: Run, site: Site, year: int, common: BoolArray, truth: TrueSurface | None) -> YearArea:
    """Measure one year's map and write its outlines."""
    params = run.params.area
    ice, seen = read_map(run.by_year(contract.MASK)[year], run.by_year(contract.VALID)[year])
    kept, pieces = remove_speckle(ice, seen, min_pixels=params.min_polygon_area_m2 / site.grid.pixel_size_m**2)
    removed = ice & ~kept & site.aoi
    provenance = read_document(run.by_year(contract.PROVENANCE)[year], Provenance)
    time, dated = decimal_year(provenance)
    fraction = valid_fraction(site, seen)
    counts = fraction >= params.common_valid_fraction_min
    inside, seen_inside = kept & site.aoi, seen & site.aoi
    km2 = site.areas_km2(
        mapped=inside, common=inside & common, unseen=site.prior & ~seen, removed=removed,
        aoi=seen_inside, outlines=site.prior & seen,
    )  # fmt: skip
    one = YearArea(
        year=year,
        decimal_year=time,
        dated=dated,
        date=provenance.date,
        scene_ids=";".join(source.id for source in provenance.sources),
        baselines=baselines_of(provenance),
        mapped_km2=km2["mapped"],
        unseen_km2=km2["unseen"],
        sigma_km2=_sigma_km2(site, kept, seen, params),
        common_km2=float(km2["common"].sum()) if counts else None,
        aoi_seen_km2=float(km2["aoi"].sum()),
        outlines_seen_km2=float(km2["outlines"].sum()),
        valid_fraction=fraction,
        speckle_km2=float(km2["removed"].sum()),
        speckle_pieces=pieces,
        truth=compare(site, truth.of_year(year), mapped=inside, seen=seen_inside, common=common) if truth else None,
    )
    _write_outlines(run, site, one, inside)
    _report_year(run.log, one)
    return one


def _sigma_km2(site: Site, ice: BoolArray, seen: BoolArray, params: AreaParams) -> float:
    sigma_px = buffer_sigma_px(ice, seen, seen & site.aoi, buffer_px=params.boundary_buffer_px)
    mean_pixel_km2 = site.aoi_km2 / float(site.aoi.sum())
    return sigma_px * mean_pixel_km2


def _write_outlines(run: Run, site: Site, one: YearArea, ice: BoolArray) -> None:
    polygons = trace(site.owner, ice, site.grid.transform)
    path = run.out / f"outlines_{one.year}.gpkg"
    check_geodesic(one.glacier_area_km2, polygons.values(), site.grid.crs, where=f"mapped outlines of {one.year}")
    frame = outline_frame(
        polygons, site.rgi_ids, one.mapped_km2.tolist(), crs=site.grid.crs, date=one.date, prior=site.outlines
    )
    write_outlines(path, frame)


def _write(run: Run, site: Site, series: list[YearArea], trend: Trend, gates: Gates) -> None:
    model_md5 = file_md5(run.path(contract.MODEL))
    years = [area_row(one, model_md5=model_md5) for one in series]
    glaciers = [row for one in series for row in glacier_rows(one, site.glaciers, site.outlines_km2)]
    write_table(run.out / "glacier_area_by_year.csv", years, AreaRow)
    write_table(run.out / "area_by_glacier.csv", glaciers, GlacierAreaRow)
    if rows := truth_rows(series):
        write_table(run.out / "truth_by_year.csv", rows, TruthRow)
    write_json(run.out / "trend.json", trend)
    write_json(run.out / "gates.json", gates)


def _report_year(log: logging.Logger, one: YearArea) -> None:
    log.info(
        "%d: %.2f km2 (%.2f to %.2f), %.1f %% of the AOI seen, %.2f km2 of the outlines unseen; "
        "speckle removed: %.2f km2 in %d pieces",
        one.year, one.glacier_area_km2, one.low_km2, one.high_km2, 100 * one.valid_fraction,
        float(np.sum(one.unseen_km2)), one.speckle_km2, one.speckle_pieces,
    )  # fmt: skip


def _report_gates(log: logging.Logger, gates: Gates) -> int:
    """Say which gates failed, and how many. They are judged by the last stage, so that there is a report first."""
    failed = [finding for finding in gates.findings if not finding.passed]
    for finding in failed:
        log.warning("gate %s: %s", finding.gate, finding.message)
    return len(failed)
