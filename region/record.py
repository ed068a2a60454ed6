"""One MLflow run for each state of a region's results."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence

from region.params import RegionParams
from region.results import Results
from region.totals import RegionTrend, Total
from stages.common.run.flatten import flatten
from stages.track import record, store
from stages.track.metric_values import MetricValue

REPORT = ("totals.csv", "trend.json", "failed.csv", "index.html")
TABLES = ("glacier_years.parquet", "outlines.parquet")
SERIES = (
    "area_km2", "area_low95_km2", "area_high95_km2", "sigma_delineation_km2", "sigma_model_km2", "common_area_km2",
)  # fmt: skip


def log_run(
    region: RegionParams, by_year: Sequence[Total], trend: RegionTrend, results: Results, log: logging.Logger
) -> str:
    """Log parameters, totals and the report once for a state of the results; return a sentence.

    Raises
    ------
    InputError
        The store does not take the run.
    """
    report = {name: results.read(name) or b"" for name in REPORT}
    tables = [results.read(name) or b"" for name in TABLES]
    state = hashlib.md5(b"".join([*report.values(), *tables]), usedforsecurity=False).hexdigest()
    location = store.locate_store()
    with store.quiet(log), store.readable_errors(location):
        client, experiment_id = store.connect(location, f"region-{region.name}")
        if finished := store.finished_run(client, experiment_id, state):
            return f"this state is logged already, as run {finished.info.run_name}"
        store.close_unfinished(client, experiment_id, state)
        name = f"{region.name}-{state[:8]}"
        tags = {store.STATE_TAG: state, "region": region.name}
        run_id = client.create_run(experiment_id, tags=tags, run_name=name).info.run_id
        record.log_params(client, run_id, flatten(region.site | {"region": region.region.model_dump(mode="json")}))
        record.log_metrics(client, run_id, metric_values(by_year, trend))
        for file, content in report.items():
            client.log_text(run_id, content.decode(), file)
        client.set_terminated(run_id, "FINISHED")
    return f"logged run {name}"


def metric_values(by_year: Sequence[Total], trend: RegionTrend) -> list[MetricValue]:
    """Return the totals, the year as their step, and the slope."""
    values = [
        MetricValue(name, float(value), total.year)
        for total in by_year
        for name in SERIES
        if (value := getattr(total, name)) is not None
    ]
    slope = trend.slope_km2_per_year
    return values if slope is None else [*values, MetricValue("slope_km2_per_year", slope)]
