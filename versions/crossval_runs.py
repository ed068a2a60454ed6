"""A cross-validation as MLflow runs: one with the pooled scores, and below it one a fold."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.common import settings
from stages.common.params.schema import Params
from stages.common.run.records import file_md5, read_document
from stages.common.tables.evaluate import CrossvalMetrics, Scores
from stages.track import store

METRICS = Path("metrics/crossval.json")
LOG = logging.getLogger("crossval")
RESULT_TAG, PARENT_TAG = "crossval_md5", "mlflow.parentRunId"


def log_crossval(params: Params) -> None:
    """Log the result in metrics/crossval.json, unless the store holds it already.

    Raises
    ------
    InputError
        The tracking store does not answer or is broken; the result itself stays as it is.
    """
    settings.quiet_mlflow()
    metrics, md5 = read_document(METRICS, CrossvalMetrics), file_md5(METRICS)
    location, site = store.locate_store(), params.site.name
    with store.quiet(LOG), store.readable_errors(location):
        client, experiment_id = store.connect(location, site)
        if client.search_runs([experiment_id], f"tags.{RESULT_TAG} = '{md5}'", max_results=1):
            return
        common = {"site": site, "simulated": str(params.site.simulated).lower()}
        tags = common | {RESULT_TAG: md5}
        pooled = _log(client, experiment_id, f"{site}: cross-validation", tags, _scores(metrics.model))
        for fold in metrics.folds:
            tags = common | {PARENT_TAG: pooled, "fold": str(fold.fold)}
            values = _scores(fold.model) | {"threshold": fold.threshold, "temperature": fold.temperature}
            _log(client, experiment_id, f"{site}: fold {fold.fold}", tags, values)


def _scores(scores: Scores) -> dict[str, float]:
    return {f"crossval/{name}": float(value) for name, value in scores.model_dump(exclude_none=True).items()}


def _log(client: Any, experiment_id: str, name: str, tags: Mapping[str, str], values: Mapping[str, float]) -> str:
    """Log one finished run and return its id."""
    from mlflow.entities import Metric

    run_id = str(client.create_run(experiment_id, run_name=name, tags=dict(tags)).info.run_id)
    now_ms = int(time.time() * 1000)
    client.log_batch(run_id, metrics=[Metric(key, value, now_ms, 0) for key, value in values.items()])
    client.set_terminated(run_id)
    return run_id
