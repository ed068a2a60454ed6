"""Does the planted retreat of a twin's glaciers lie in the stated interval? ``python -m bench.front [--twins 50]``.

No model is involved: the flow line, the front along it and the interval of the rate are tested on the true ice of
twins of 16 x 16 km at 20 m, in nine years, with seeds that no test or demo uses.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from affine import Affine

from stages.area.fronts.flow_lines import derive
from stages.area.fronts.lanes import Lane, lane_about
from stages.area.fronts.retreat import front_trend_row, with_position
from stages.area.fronts.series import FrontSeries, YearObservation
from stages.area.map.elevation import Elevation
from stages.area.map.surface import grow_zones
from stages.area.site import AreaSite
from stages.area.trends.fit import YEARS_FOR_A_TREND
from stages.common.geo.grid import Grid
from stages.common.geo.planes import Bits, Plane
from stages.common.params.area import AreaParams
from stages.common.params.ingest import TwinParams
from stages.common.tables.area import FrontTrendRow
from stages.common.tables.labels import GlacierRow
from stages.ingest.sources.twin import change, inventory
from stages.ingest.sources.twin.landscape import Landscape, make_landscape

PIXEL_M, SIDE_PX, FIRST_SEED = 20.0, 800, 1001
GRID = Grid(
    crs="EPSG:32644", transform=Affine(PIXEL_M, 0, 322_000, 0, -PIXEL_M, 3_422_000), height=SIDE_PX, width=SIDE_PX
)
YEARS = range(2016, 2025)


@dataclass(frozen=True)
class PlantedRetreat:
    """Planted and measured retreat of the front of one glacier."""

    rgi_id: str
    is_largest: bool
    """True for the largest glacier of its twin."""
    planted_m_per_year: float
    trend: FrontTrendRow

    @property
    def inside(self) -> bool:
        """True where the planted rate lies in the stated 95 % interval."""
        low, high = self.trend.rate_low_m_per_year, self.trend.rate_high_m_per_year
        return low is not None and high is not None and low <= self.planted_m_per_year <= high

    @property
    def measured_m_per_year(self) -> float:
        """Measured rate, metres per year."""
        return self.trend.rate_m_per_year or 0.0

    @property
    def half_width_m_per_year(self) -> float:
        """Half of the width of the stated 95 % interval, metres per year."""
        return ((self.trend.rate_high_m_per_year or 0.0) - (self.trend.rate_low_m_per_year or 0.0)) / 2


def main() -> None:
    """Print each glacier, then how many planted rates lie in their interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--twins", type=int, default=50)
    retreats: list[PlantedRetreat] = []
    for seed in range(FIRST_SEED, FIRST_SEED + parser.parse_args().twins):
        world, params = make_landscape(seed, GRID.shape, PIXEL_M), TwinParams(seed=seed, retreat_m_per_year=20)
        for retreat in measure_retreats(world, params):
            retreats.append(retreat)
            print(
                f"{retreat.rgi_id} planted {retreat.planted_m_per_year:5.1f} "
                f"measured {retreat.measured_m_per_year:5.1f} ± {retreat.half_width_m_per_year:.1f} "
                f"inside {retreat.inside}",
                flush=True,
            )
    print(summarise("largest glaciers", [retreat for retreat in retreats if retreat.is_largest]))
    print(summarise("all glaciers", retreats))


def summarise(name: str, retreats: list[PlantedRetreat]) -> str:
    """Count the planted rates inside their interval; give the errors of the rates and the widths of the intervals."""
    inside = [retreat.inside for retreat in retreats]
    ratios = [retreat.measured_m_per_year / retreat.planted_m_per_year for retreat in retreats]
    ratio_quartiles = np.quantile(ratios, [0.25, 0.5, 0.75]).round(2).tolist()
    widths = [retreat.half_width_m_per_year for retreat in retreats]
    width_quantiles = np.quantile(widths, [0.25, 0.5, 0.75, 0.9]).round(1).tolist()
    return (
        f"{name}: {sum(inside)} of {len(inside)} inside ({100 * np.mean(inside):.1f} %); "
        f"measured / planted, quartiles: {ratio_quartiles}; "
        f"half of the interval in m per year, quartiles and 90 % quantile: {width_quantiles}"
    )


def measure_retreats(world: Landscape, params: TwinParams) -> list[PlantedRetreat]:
    """Measure the retreat of the glaciers that have a flow line, on the twin's true ice."""
    site, area = twin_area_site(world, params), AreaParams()
    surface = (world.bed_m + change.ice_thickness(world, params, YEARS[0])).astype(np.float32)
    dem = Elevation(height_m=surface, transform=GRID.transform, crs=GRID.crs)
    flows = {
        row.glacier_index: derive(site, row.glacier_index, dem, area.terminus)
        for row in site.glaciers
        if row.outline_area_km2 >= area.terminus.min_glacier_km2
    }
    lanes = {index: lane_about(site, index, flow.line, area.terminus) for index, flow in flows.items() if flow.line}
    observations = [_observation(world, params, year, lanes) for year in YEARS]
    series = FrontSeries(grid_px_m=PIXEL_M, params=area, flows=flows, lanes=lanes, observations=observations)
    retreats = []
    for index in lanes:
        placed = with_position(series.positions(index))
        if len(placed) >= YEARS_FOR_A_TREND:
            share = world.glaciers[index - 1].length_m / world.glaciers[0].length_m
            row = site.glaciers[index - 1]
            planted = share * params.retreat_m_per_year
            retreats.append(PlantedRetreat(row.rgi_id, index == 1, planted, front_trend_row(row, placed)))
    return retreats


def twin_area_site(world: Landscape, params: TwinParams) -> AreaSite:
    """Return the twin's glaciers as an inventory of the year 2000 would list them, numbered as in the world."""
    ids = np.where(inventory.inventoried_ice(world, params), world.glacier, 0).astype(np.uint16)
    areas = np.bincount(ids.ravel(), minlength=1 + len(world.glaciers)) * (PIXEL_M / 1000) ** 2
    rows = [
        GlacierRow(
            glacier_index=glacier.index, rgi_id=inventory.rgi_id(world, glacier.index), terminus="unknown",
            outline_area_km2=float(areas[glacier.index]), geodesic_area_km2=float(areas[glacier.index]),
        )
        for glacier in world.glaciers
    ]  # fmt: skip
    aoi = np.ones(ids.shape, dtype=bool)
    owner = grow_zones(ids, distance_px=AreaParams().assign_distance_m / PIXEL_M)
    return AreaSite(
        grid=GRID, aoi=Bits.of(aoi), prior=Bits.of(ids > 0), owner=Plane.of(None, owner), glaciers=rows,
        outlines_km2=areas.astype(np.float64), aoi_km2=float(aoi.sum()) * (PIXEL_M / 1000) ** 2, outlines=None,
    )  # fmt: skip


def _observation(world: Landscape, params: TwinParams, year: int, lanes: dict[int, Lane]) -> YearObservation:
    ice = change.ice_thickness(world, params, year) > 0
    observed = np.ones_like(ice)
    probability = ice * np.uint16(10000)
    fronts = {
        index: lane.observe(ice[lane.window], observed[lane.window], probability[lane.window])
        for index, lane in lanes.items()
    }
    return YearObservation(year, year + 0.8, 0.0, fronts)


if __name__ == "__main__":
    main()
