"""What is known of a registered version: its run's record, and its scores on the test blocks of today."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.area.contract import CONTRACT as AREA
from stages.common.errors import InputError
from stages.common.params.schema import Params, section_values
from stages.common.run.flatten import flatten
from stages.common.run.records import file_md5, read_document
from stages.common.tables.area import Gates
from stages.common.tables.evaluate import EvaluateMetrics
from stages.common.tables.learning import ModelCard
from stages.evaluate.contract import CONTRACT as EVALUATE
from stages.predict.contract import CONTRACT as PREDICT
from stages.track.provenance import SPLIT_DATA_TAG, split_data
from versions.promote.gates import Evidence, read_slices
from versions.registry.registry import Registry
from versions.tools.commands import dvc, must
from versions.tools.scratch import run_stage, scratch_site

MODEL_INPUT = "artifacts/train/model.onnx"
SPLIT = ("patches", "grid", "labels")
"""Parts of params.yaml that decide which pixels are test blocks, and what their labels are."""


def evidence(registry: Registry, number: str, site: Path, params: Params, folder: Path) -> Evidence:
    """Gather what the gates look at; `folder` is for downloads."""
    model = registry.fetch_model(number, folder)
    card = read_document(registry.fetch_document(number, "train/model_card.json", folder), ModelCard)
    with scratch_site(site, [EVALUATE], replaced={MODEL_INPUT: model}) as scratch:
        run_stage(scratch, "evaluate")
        return Evidence(
            number=number,
            scores=read_document(scratch / "metrics/evaluate.json", EvaluateMetrics),
            slices=read_slices(scratch / "artifacts/evaluate/slices.csv"),
            onnx_difference=card.onnx_max_difference,
            other_split=other_split(
                registry.logged_params(number), registry.logged_tags(number).get(SPLIT_DATA_TAG), site, params
            ),
        )


def sanity_of(registry: Registry, number: str, site: Path, params: Params, folder: Path) -> Gates:
    """What the sanity gates found of the areas that this model maps.

    Its run has that, unless the run's maps were another model's (`predict.model`): then all years are mapped aside.
    """
    if registry.logged_tags(number).get("maps_by_this_model") != "false":
        return read_document(registry.fetch_document(number, "area/gates.json", folder), Gates)
    model = registry.fetch_model(number, folder)
    with scratch_site(
        site, [PREDICT, AREA], replaced={MODEL_INPUT: model}, changes={"predict.model": MODEL_INPUT},
        years=params.years,
    ) as scratch:  # fmt: skip
        for year in params.years:
            run_stage(scratch, "predict", "--year", str(year))
        run_stage(scratch, "area")
        return read_document(scratch / "artifacts/area/gates.json", Gates)


def other_split(logged: dict[str, str], data: str | None, site: Path, params: Params) -> tuple[str, ...]:
    """Names of what makes the split that a run had otherwise; what either does not know is not compared."""
    now = {key: str(value) for key, value in flatten(section_values(params, SPLIT)).items()}
    names = [key for key in sorted(now) if key in logged and logged[key] != now[key]]
    return (*names, *(["outlines and AOI"] if data not in (None, split_data(site / "data.dvc")) else []))


def get_inputs(site: Path, params: Params) -> None:
    """Bring the evaluation's inputs to what dvc.lock records, from DVC's cache or remote.

    Raises
    ------
    InputError
        Neither has them, or params.yaml asks for others.
    """
    year = params.evaluate.year
    stages = [f"prepare@{year}", f"patches@{year}", "labels"]
    if not stale(site, stages):
        return
    if dvc(site, "checkout", "--quiet", *stages).returncode:
        must(
            dvc(site, "pull", *stages),
            what="the scenes that versions are judged on are not here, and DVC's remote does not give them",
            fix="`make retrain` makes and pushes them",
        )
    if found := stale(site, stages):
        raise InputError(
            "the scenes, labels or test blocks here are not those of params.yaml", where="artifacts/",
            expected="what dvc.lock and params.yaml say", found=f"out of date: {', '.join(found)}",
            fix="`make repro`, then run this again",
        )  # fmt: skip


def stale(site: Path, stages: Sequence[str]) -> list[str]:
    """Those of the stages whose files, or parameters, are not those of dvc.lock; their code is not asked.

    Raises
    ------
    InputError
        DVC cannot tell.
    """
    status = must(
        dvc(site, "status", "--json", *stages), what="DVC does not say what is up to date", fix="mend what it says"
    )
    return [name for name, reports in json.loads(status or "{}").items() if any(map(_concerns_files, reports))]


def _concerns_files(report: Any) -> bool:
    return isinstance(report, dict) and bool(
        report.get("changed outs") or "params.yaml" in report.get("changed deps", {})
    )


def same_model(registry: Registry, one: str, other: str, folder: Path) -> bool:
    """Whether two versions are the same file."""
    return file_md5(registry.fetch_model(one, folder)) == file_md5(registry.fetch_model(other, folder))
