"""What is known of a registered version: its run's record, and its scores on the test blocks of today."""

from __future__ import annotations

from pathlib import Path

from stages.common.params import Params
from stages.common.records import file_md5, read_document
from stages.common.tables_area import Gates
from stages.common.tables_evaluate import EvaluateMetrics
from stages.common.tables_learning import ModelCard
from stages.evaluate.contract import CONTRACT as EVALUATE
from stages.track.state import flatten, sections
from versions.commands import dvc, must
from versions.gates import Evidence, read_slices
from versions.registry import Registry
from versions.scratch import run_stage, scratch_site

MODEL_INPUT = "artifacts/train/model.onnx"
SPLIT = ("patches", "grid", "labels")
"""Parts of params.yaml that decide which pixels are test blocks, and what their labels are."""


def evidence(registry: Registry, number: str, site: Path, params: Params, folder: Path) -> Evidence:
    """Gather what the gates look at; `folder` is for downloads."""
    model = registry.fetch_model(number, folder)
    card = read_document(registry.fetch_document(number, "train/model_card.json", folder), ModelCard)
    sanity = read_document(registry.fetch_document(number, "area/gates.json", folder), Gates)
    with scratch_site(site, [EVALUATE], replaced={MODEL_INPUT: model}) as scratch:
        run_stage(scratch, "evaluate")
        return Evidence(
            number=number,
            scores=read_document(scratch / "metrics/evaluate.json", EvaluateMetrics),
            slices=read_slices(scratch / "artifacts/evaluate/slices.csv"),
            onnx_difference=card.onnx_max_difference,
            sanity=sanity,
            other_split=other_split(registry.logged_params(number), params),
        )


def other_split(logged: dict[str, str], params: Params) -> tuple[str, ...]:
    """Names of the split's parameters that a run had otherwise; what either does not know is not compared."""
    now = {key: str(value) for key, value in flatten(sections(params, SPLIT)).items()}
    return tuple(key for key in sorted(now) if key in logged and logged[key] != now[key])


def get_inputs(site: Path, params: Params) -> None:
    """Take the evaluation's inputs from DVC's cache or remote where they are absent.

    Raises
    ------
    InputError
        Neither has them.
    """
    year = params.evaluate.year
    stages = [f"prepare@{year}", f"patches@{year}", "labels"]
    if all((site / "artifacts" / name.replace("@", "/")).is_dir() for name in stages):
        return
    if dvc(site, "checkout", "--quiet", *stages).returncode:
        must(
            dvc(site, "pull", *stages),
            what="the scenes that versions are judged on are not here, and DVC's remote does not give them",
            fix="`make retrain` makes and pushes them",
        )


def same_model(registry: Registry, one: str, other: str, folder: Path) -> bool:
    """Whether two versions are the same file."""
    return file_md5(registry.fetch_model(one, folder)) == file_md5(registry.fetch_model(other, folder))
