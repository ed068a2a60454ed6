"""Gathering what the gates judge a registered version by: its run's record, and its scores on today's test blocks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stages.common.errors import InputError
from stages.common.params.schema import Params, section_values
from stages.common.run.flatten import flatten
from stages.common.run.records import read_document
from stages.common.tables.area import Gates
from stages.common.tables.evaluate import EvaluateMetrics
from stages.common.tables.learning import ModelCard
from stages.track.provenance import SPLIT_DATA_TAG, split_data
from versions.promote.gates import Evidence, read_slices
from versions.registry.registered import RegisteredVersion
from versions.tools.commands import require, run_dvc
from versions.tools.scratch import run_scratch_stage, scratch_site

MODEL_INPUT = "artifacts/train/model.onnx"
SPLIT = ("patches", "grid", "labels")
"""Parts of params.yaml that decide which pixels are test blocks, and what their labels are."""


def gather_evidence(version: RegisteredVersion, site: Path, params: Params, folder: Path) -> Evidence:
    """Score a version on the test blocks of the site, and read its run's record; `folder` is for downloads."""
    model = version.fetch_model(folder)
    card = read_document(version.fetch_artifact("train/model_card.json", folder), ModelCard)
    with scratch_site(site, ["evaluate"], replaced={MODEL_INPUT: model}) as scratch:
        run_scratch_stage(scratch, "evaluate")
        return Evidence(
            number=version.number,
            scores=read_document(scratch / "metrics/evaluate.json", EvaluateMetrics),
            slices=read_slices(scratch / "artifacts/evaluate/slices.csv"),
            onnx_difference=card.onnx_max_difference,
            split_changes=split_changes(version.params, version.tags.get(SPLIT_DATA_TAG), site, params),
        )


def sanity_findings(version: RegisteredVersion, site: Path, params: Params, folder: Path) -> Gates:
    """Return the findings of the sanity gates on the areas that this version's model maps.

    Its run has logged them, unless the run's maps were another model's (`predict.model`): then all years are mapped in
    a scratch folder.
    """
    if version.tags.get("maps_by_this_model") != "false":
        return read_document(version.fetch_artifact("area/gates.json", folder), Gates)
    model = version.fetch_model(folder)
    with scratch_site(
        site, ["predict", "area"], replaced={MODEL_INPUT: model}, changes={"predict.model": MODEL_INPUT},
        years=params.years,
    ) as scratch:  # fmt: skip
        for year in params.years:
            run_scratch_stage(scratch, "predict", "--year", str(year))
        run_scratch_stage(scratch, "area")
        return read_document(scratch / "artifacts/area/gates.json", Gates)


def split_changes(logged: dict[str, str], data: str | None, site: Path, params: Params) -> tuple[str, ...]:
    """Return the names of what makes the split and differed in a run's training from today.

    `logged` are the run's parameters, `data` the hashes of its outlines and AOI. What the run did not log is not
    compared.
    """
    current = {key: str(value) for key, value in flatten(section_values(params, SPLIT)).items()}
    names = [key for key in sorted(current) if key in logged and logged[key] != current[key]]
    return (*names, *(["outlines and AOI"] if data not in (None, split_data(site / "data.dvc")) else []))


def fetch_inputs(site: Path, params: Params) -> None:
    """Bring the evaluation's inputs to what dvc.lock records, from DVC's cache or remote.

    Raises
    ------
    InputError
        Neither has them, or params.yaml asks for others.
    """
    year = params.evaluate.year
    stages = [f"prepare@{year}", f"patches@{year}", "labels"]
    if not stale_stages(site, stages):
        return
    if run_dvc(site, "checkout", "--quiet", *stages).returncode:
        require(
            run_dvc(site, "pull", *stages),
            what="the scenes that versions are judged on are absent, and DVC's remote does not give them",
            fix="`make retrain` makes and pushes them",
        )
    if stale := stale_stages(site, stages):
        raise InputError(
            "the scenes, labels or test blocks in artifacts/ are not those of params.yaml", where="artifacts/",
            expected="what dvc.lock and params.yaml say", found=f"out of date: {', '.join(stale)}",
            fix="`make repro`, then run this again",
        )  # fmt: skip


def stale_stages(site: Path, stages: Sequence[str]) -> list[str]:
    """Return those of the stages whose files, or parameters, are not those of dvc.lock; their code does not count.

    Raises
    ------
    InputError
        DVC fails.
    """
    status = require(
        run_dvc(site, "status", "--json", *stages),
        what="DVC cannot check what is up to date",
        fix="correct what it names",
    )
    return [name for name, reports in json.loads(status or "{}").items() if any(map(_concerns_files, reports))]


def _concerns_files(report: Any) -> bool:
    return isinstance(report, dict) and bool(
        report.get("changed outs") or "params.yaml" in report.get("changed deps", {})
    )
