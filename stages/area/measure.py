"""The stage's verb: masks in, km2 a year out."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from stages.area import contract
from stages.area.error.delineation import delineation_sigma_km2
from stages.area.error.interval import factors_of
from stages.area.error.model_error import ModelError, model_error
from stages.area.fronts.retreat import terminus_rows, trend_rows
from stages.area.fronts.terminus import Termini, open_termini
from stages.area.gates.drift import drift_rows, input_drift
from stages.area.gates.sanity import judge
from stages.area.map.geodesic import check_geodesic
from stages.area.map.outlines import outline_frame, write_outlines
from stages.area.map.polygons import trace
from stages.area.map.surface import remove_speckle
from stages.area.site import Site, read_map, read_site
from stages.area.tables.rows import area_metrics
from stages.area.tables.write import write_tables
from stages.area.trends.glacier_trend import glacier_trends
from stages.area.trends.statement import make_trend
from stages.area.year.change import Changes, SeenMap
from stages.area.year.cover import cover_of
from stages.area.year.season import Season, measure_season
from stages.area.year.truth import TrueSurface, compare, read_truth
from stages.area.year.year_area import YearArea, baselines_of, decimal_year
from stages.common.gates import apply_overrides
from stages.common.geo.raster import gdal_env
from stages.common.params.area import AreaParams
from stages.common.run.outputs import write_json, write_table
from stages.common.run.records import file_md5, read_document
from stages.common.run.stage import Run
from stages.common.tables.area import AreaMetrics, FrontRow, FrontTrendRow, Gates
from stages.common.tables.drift import Drift, DriftRow
from stages.common.tables.learning import MapModel
from stages.common.tables.prepare import Provenance
from stages.common.types import BoolArray


@dataclass(frozen=True)
class Dynamics:
    """Takes each year's map as it is measured; tables are written when all years are known."""

    run: Run
    termini: Termini
    changes: Changes

    def add(self, one: YearArea, provenance: Provenance, *, ice: BoolArray, seen: BoolArray) -> None:
        """Look at a year's map: ice and what was seen, (H, W) within the AOI.

        A year left out of the common area is left out of the change maps too; a front needs no more than itself.
        """
        probability = self.run.by_year(contract.PROBABILITY)[one.year]
        self.termini.add(one, provenance, ice=ice, seen=seen, probability=probability)
        if one.common_km2 is not None:
            self.changes.add(SeenMap(year=one.year, ice=ice, seen=seen))

    def write(self) -> None:
        """Write the tables of the fronts; that of the changes is written with the areas, whose digits it has."""
        out, glaciers = self.run.out, self.changes.site.glaciers
        write_table(out / "terminus_by_year.csv", terminus_rows(self.termini, glaciers), FrontRow)
        write_table(out / "terminus_by_glacier.csv", trend_rows(self.termini, glaciers), FrontTrendRow)


def follow(run: Run, site: Site) -> Dynamics:
    """Nothing seen yet."""
    return Dynamics(run, open_termini(run, site), Changes(site=site, out=run.out))


def measure(run: Run) -> AreaMetrics:
    """Write areas, outlines, trends and gate findings of all years."""
    params = run.params.area
    with gdal_env():
        site = read_site(run)
        truth = read_truth(run.path(contract.TRUTH), run.path(contract.TRUE_SURFACE))
        common = common_pixels(run, site)
        dynamics = follow(run, site)
        series = [
            measure_year(run, site, year, common, truth, dynamics=dynamics)
            for year in tqdm(run.params.years, desc="area", unit="year", disable=None)
        ]
        dynamics.write()
    glaciers = glacier_trends(
        series, site.glaciers, outlines_km2=site.outlines_km2, params=params,
        common_outlines_km2=site.areas_km2(common=site.prior & common)["common"],
    )  # fmt: skip
    trend = make_trend(
        series, glaciers, rho=params.correlation_between_years,
        common_pixels_fraction=float(common.sum() / site.aoi.sum()),
    )  # fmt: skip
    run.log.info("%s; %s", trend.statement, glaciers.note)
    outlines_km2 = float(site.outlines_km2.sum())
    found = judge(series, trend, aoi_km2=site.aoi_km2, outlines_km2=outlines_km2, bounds=run.params.gates)
    drifts = _drifts(run)
    found.append(input_drift(drifts, maximum=run.params.gates.drift_psi_max))
    gates = Gates(findings=apply_overrides(found, run.params.gates.override))
    _report_gates(run.log, gates)
    changes = dynamics.changes.rows
    write_tables(run.out, site, series, glaciers, changes, model_md5=file_md5(run.path(contract.MODEL)))
    write_table(run.out / "drift_by_year.csv", drift_rows(drifts), DriftRow)
    write_json(run.out / "trend.json", trend)
    write_json(run.out / "gates.json", gates)
    return area_metrics(series, trend, gates.findings)


def _drifts(run: Run) -> list[Drift]:
    return [read_document(path, Drift) for path in run.by_year(contract.DRIFT).values() if path.exists()]


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


def measure_year(
    run: Run, site: Site, year: int, common: BoolArray, truth: TrueSurface | None, *, dynamics: Dynamics
) -> YearArea:
    """Measure one year's map and write its outlines."""
    params = run.params.area
    ice, seen = read_map(run.by_year(contract.MASK)[year], run.by_year(contract.VALID)[year])
    kept, pieces = remove_speckle(ice, seen, min_pixels=_min_pixels(site, params))
    provenance = read_document(run.by_year(contract.PROVENANCE)[year], Provenance)
    model = read_document(run.by_year(contract.MAP_MODEL)[year], MapModel)
    time, dated = decimal_year(provenance)
    fraction = valid_fraction(site, seen)
    inside, seen_inside = kept & site.aoi, seen & site.aoi
    cover = cover_of(run, site, year, ice=inside, seen=seen_inside)
    km2 = site.areas_km2(
        mapped=inside, common=inside & common, unseen=site.prior & ~seen, removed=ice & ~kept & site.aoi,
        debris=cover.debris_of(inside), aoi=seen_inside, outlines=site.prior & seen,
    )  # fmt: skip
    season = _season(run, site, year, kept)
    one = YearArea(
        year=year,
        decimal_year=time,
        dated=dated,
        date=provenance.date,
        scene_ids=";".join(source.id for source in provenance.sources),
        baselines=baselines_of(provenance),
        mapped_km2=km2["mapped"],
        debris_km2=None if cover.clean is None else km2["debris"],
        surface_method=cover.method,
        unseen_km2=km2["unseen"],
        common_by_glacier_km2=km2["common"] if fraction >= params.common_valid_fraction_min else None,
        delineation_km2=delineation_sigma_km2(site, kept, seen, params, clean=cover.clean),
        model=_model_error(run, site, year, seen_inside, model),
        factors=factors_of(model, params.interval_factors),
        aoi_seen_km2=float(km2["aoi"].sum()),
        outlines_seen_km2=float(km2["outlines"].sum()),
        valid_fraction=fraction,
        speckle_km2=float(km2["removed"].sum()),
        speckle_pieces=pieces,
        truth=compare(site, truth.of_year(year), mapped=inside, seen=seen_inside, common=common) if truth else None,
        sigma_season_km2=season.sigma_km2(float(km2["mapped"].sum())) if season else None,
        season=season.rows if season else (),
    )
    _write_outlines(run, site, one, inside)
    dynamics.add(one, provenance, ice=inside, seen=seen_inside)
    _report_year(run.log, one)
    return one


def _model_error(run: Run, site: Site, year: int, counted: BoolArray, model: MapModel) -> ModelError | None:
    probability, votes = run.by_year(contract.PROBABILITY)[year], run.by_year(contract.VOTES)[year]
    return model_error(site, counted, model, probability=probability, votes=votes)


def _min_pixels(site: Site, params: AreaParams) -> float:
    return params.min_polygon_area_m2 / site.grid.pixel_size_m**2


def _season(run: Run, site: Site, year: int, ice: BoolArray) -> Season | None:
    season = measure_season(
        site, year, ice, listed=run.by_year(contract.PASSES)[year], masks=run.by_year(contract.PASS_MASKS)[year],
        min_pixels=_min_pixels(site, run.params.area),
    )  # fmt: skip
    if season:
        areas = ", ".join(f"{row.date or 'no day'} {row.area_km2:.2f}" for row in season.rows)
        run.log.info(
            "%d: passes %s km2 where all have seen; spread %.2f km2 (one sigma of a single pass), the map has %.2f",
            year, areas, season.spread_km2, season.consensus_km2,
        )  # fmt: skip
    return season


def _write_outlines(run: Run, site: Site, one: YearArea, ice: BoolArray) -> None:
    polygons = trace(site.owner, ice, site.grid.transform)
    path = run.out / f"outlines_{one.year}.gpkg"
    check_geodesic(one.glacier_area_km2, polygons.values(), site.grid.crs, where=f"mapped outlines of {one.year}")
    frame = outline_frame(
        polygons, site.rgi_ids, one.mapped_km2.tolist(), crs=site.grid.crs, date=one.date, prior=site.outlines
    )
    write_outlines(path, frame)


def _report_year(log: logging.Logger, one: YearArea) -> None:
    half_km2 = one.half_width_km2(95)
    log.info(
        "%d: %.2f ± %.2f km2 (95 %%), %.1f %% of the AOI seen, %.2f km2 of the outlines unseen; "
        "speckle removed: %.2f km2 in %d pieces",
        one.year, one.glacier_area_km2, half_km2, 100 * one.valid_fraction, float(np.sum(one.unseen_km2)),
        one.speckle_km2, one.speckle_pieces,
    )  # fmt: skip


def _report_gates(log: logging.Logger, gates: Gates) -> None:
    """Say which gates failed. They are judged by the last stage, so that there is a report first."""
    for finding in gates.findings:
        if finding.overridden or not finding.passed:
            log.warning("gate %s%s: %s", finding.gate, " (overridden)" * finding.overridden, finding.message)
