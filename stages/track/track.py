"""The stage's verb: log this state of the pipeline, once."""

from __future__ import annotations

import html
import time
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from stages.common import settings
from stages.common.gates import all_findings
from stages.common.params.schema import section_values
from stages.common.run.environment import set_aside
from stages.common.run.flatten import flatten
from stages.common.run.outputs import write_json
from stages.common.run.records import file_md5, read_document, read_rows
from stages.common.run.replace import flush_written
from stages.common.run.stage import Run
from stages.common.tables.area import AreaMetrics, AreaRow, FrontRow, GateFinding, Gates, Trend
from stages.common.tables.change import ChangeTrend
from stages.common.tables.drift import DriftRow
from stages.common.tables.evaluate import EvaluateMetrics
from stages.common.tables.learning import EpochRow, ModelCard
from stages.common.tables.track import Tracked
from stages.common.tables.truth import TruthRow
from stages.track import contract, metric_values, provenance, record, store
from stages.track.datasets import dataset_inputs
from stages.track.headline import headline_values
from stages.track.metric_values import MetricValue
from stages.track.state import state_md5

NOT_TEXT = frozenset({"area_error", "band_references"})
"""Entries of a model's card that are tables."""

Row = TypeVar("Row", bound=BaseModel)


def track(run: Run) -> None:
    """Log parameters, numbers, files and the model as one MLflow run, unless the store holds this state.

    The state is the bytes of everything read and the parameters: what made it (commit, runner) are tags. A run
    counts as logged once it is finished, which is the last thing that happens to it.

    Raises
    ------
    InputError
        The tracking store does not answer, is broken, or was moved.
    ContractError
        The registered model differs from the trained file.
    """
    set_aside(run.contract.stage)
    settings.quiet_mlflow()
    state = state_md5(input_files(run), section_values(run.params, run.contract.params))
    location, began_s = store.locate_store(), time.time()
    with store.quiet(run.log), store.readable_errors(location):
        client, experiment_id = store.connect(location, run.params.site.name)
        with store.time_limits(timeout_s=store.TIMEOUT_S, retries=store.RETRIES):
            message = _log_once(run, client, experiment_id, state)
        if location.artifacts:  # the database waits for the disk, MLflow's copies of files do not
            flush_written(location.artifacts / run.params.site.name, began_s)
    run.log.info("%s; look at it %s", message, location.viewer)
    write_json(run.out / "state.json", Tracked(state_md5=state))


def input_files(run: Run) -> list[Path]:
    """Return every declared input that exists, by path."""
    paths = (path for template in run.contract.inputs for path in run.paths(template).values())
    return sorted(path for path in paths if path.exists())


def run_tags(run: Run, state: str) -> dict[str, str]:
    """Return the tags of the run: its site, data and code, and which model drew the maps (it may be the champion)."""
    model = file_md5(run.path(contract.MODEL))
    card = read_document(run.path(contract.MODEL_CARD), ModelCard)
    iou = read_document(run.path(contract.EVALUATE_METRICS), EvaluateMetrics).model.iou
    maps = sorted({row.model_md5 for row in read_rows(run.path(contract.AREAS), AreaRow)})
    return {
        store.STATE_TAG: state,
        "site": run.params.site.name,
        "simulated": str(run.params.site.simulated).lower(),
        "bands": ", ".join(card.bands),
        "pixel_size_m": f"{run.params.grid.pixel_size_m:g}",
        "iou": "none" if iou is None else f"{iou:.3f}",
        "data_md5": card.data_md5,
        "model_md5": model,
        "maps_model": run.params.predict.model,
        "maps_model_md5": ";".join(maps),
        "maps_by_this_model": str(maps == [model]).lower(),
        "mlflow.note.content": note(run),
        **provenance.tags(),
    }


def note(run: Run) -> str:
    """Return the run's description as Markdown: the trend in a sentence, and the finding of each gate."""
    trend = read_document(run.path(contract.TREND), Trend)
    gates = read_document(run.path(contract.GATES), Gates)
    scores = read_document(run.path(contract.EVALUATE_METRICS), EvaluateMetrics)
    findings = all_findings(gates, scores, run.params.gates)
    lines = [f"- {_verdict(finding)}: {finding.gate}: {_text(finding.message)}" for finding in findings]
    mark = "**Simulated data, not a measurement.** " if run.params.site.simulated else ""
    made_by = [f"Made by {link}.", ""] if (link := provenance.revision_link()) else []
    return "\n".join([f"{mark}{_text(run.params.site.title)}. {_text(_trends(run, trend))}", "", *made_by, *lines])


def card_text(run: Run) -> str:
    """Return the model's card as a list in Markdown, one entry a line; parts of several values are left out."""
    card = read_document(run.path(contract.MODEL_CARD), ModelCard).model_dump(mode="json", exclude_none=True)
    lines = [
        f"- {name.replace('_', ' ')}: {_text(', '.join(map(str, value)) if isinstance(value, list) else str(value))}"
        for name, value in card.items()
        if name not in NOT_TEXT
    ]
    return "\n".join([f"**{_text(run.params.site.title)}**: the model's card", "", *lines])


def _text(text: str) -> str:
    """Return a text as MLflow's page shows it as it is: neither HTML nor a link or picture of Markdown."""
    return html.escape(text, quote=False).replace("[", "\\[")


def _trends(run: Run, trend: Trend) -> str:
    """Return the sentence of the trend, that of the change product first where there is one."""
    path = run.path(contract.CHANGE_TREND)
    if not path.exists():
        return trend.statement
    change = read_document(path, ChangeTrend)
    return f"Change, from the images alone: {change.statement}. Common area, from the images alone: {trend.statement}"


def _verdict(finding: GateFinding) -> str:
    if finding.overridden:
        return "**overridden by an expert**"
    return "passed" if finding.passed else "**failed**"


def all_metrics(run: Run) -> list[MetricValue]:
    """Return every metric of the run, the headline first; of a simulated site also how far it is from the truth."""
    areas = read_document(run.path(contract.AREA_METRICS), AreaMetrics)
    scores = read_document(run.path(contract.EVALUATE_METRICS), EvaluateMetrics)
    return [
        *headline_values(areas, scores),
        *metric_values.document_values(scores, "evaluate"),
        *metric_values.document_values(areas, "area"),
        *metric_values.document_values(read_document(run.path(contract.TREND), Trend), "trend"),
        *_change_values(run),
        *metric_values.learning_curves(read_rows(run.path(contract.HISTORY), EpochRow)),
        *metric_values.area_series(read_rows(run.path(contract.AREAS), AreaRow)),
        *metric_values.front_series(_optional(run, contract.FRONTS, FrontRow)),
        *metric_values.drift_series(_optional(run, contract.DRIFTS, DriftRow)),
        *metric_values.truth_series(_optional(run, contract.TRUTH, TruthRow)),
    ]


def _change_values(run: Run) -> list[MetricValue]:
    path = run.path(contract.CHANGE_TREND)
    return metric_values.document_values(read_document(path, ChangeTrend), "change") if path.exists() else []


def _optional(run: Run, template: str, row: type[Row]) -> list[Row]:
    path = run.path(template)
    return read_rows(path, row) if path.exists() else []


def _log_once(run: Run, client: Any, experiment_id: str, state: str) -> str:
    model_name = store.model_name(run.params.site.name)
    finished = store.finished_run(client, experiment_id, state)
    if finished is None:
        store.close_unfinished(client, experiment_id, state)
        return _log(run, client, experiment_id, state, model_name)
    message = f"this state is logged already, as run {finished.info.run_name}"
    if registered := store.versions(client, finished.info.run_id, model_name):
        store.challenge(client, model_name, registered[0].version)
        return message
    tags = {store.STATE_TAG: state}
    version = record.register_model(client, finished.info.run_id, run.path(contract.MODEL), name=model_name, tags=tags)
    message += f"; its model was not registered any more and is now {model_name} version {version}"
    return message


def _log(run: Run, client: Any, experiment_id: str, state: str, model_name: str) -> str:
    """Log one run. Leaving the block ends it: finished, or failed when anything was raised."""
    import mlflow

    site, base = run.params.site.name, settings.get(settings.EXPERIMENT_PARENT, "")
    name = f"{site}-{settings.get(settings.EXPERIMENT_NAME, state[:8])}"
    parent = store.parent_of_experiments(client, experiment_id, site, base) if base else None
    with mlflow.start_run(
        experiment_id=experiment_id, run_name=name, tags=run_tags(run, state), parent_run_id=parent
    ) as active:
        run_id = active.info.run_id
        client.log_inputs(run_id, dataset_inputs(run.params.training_years))
        record.log_params(client, run_id, flatten(section_values(run.params, run.contract.params)))
        record.log_metrics(client, run_id, all_metrics(run))
        files = [path for path in input_files(run) if path != run.path(contract.MODEL)]
        record.log_files(client, run_id, files)
        version = record.log_model(
            client, run_id, run.path(contract.MODEL), name=model_name, tags={store.STATE_TAG: state}
        )
        client.update_model_version(model_name, version, description=card_text(run))
    return f"logged run {name}, model {model_name} version {version} ({store.CHALLENGER})"
