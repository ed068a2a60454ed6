"""What is random about a twin follows from its seed; the model that is shipped fits the demo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from closure import with_code_of_stages
from sandbox import tiny
from stages.common.errors import ParamsError
from stages.common.params.schema import Params, load_params
from tests.versions.starting_model.conftest import PARAMS
from versions.starting_model.params import StartParams, params_like, params_of_twin, read_params

SHIPPED = sorted(tiny.ROOT.glob("models/*/dvc.yaml"))


def test_the_same_seed_is_the_same_twin_and_another_is_another() -> None:
    start = StartParams.model_validate(PARAMS)
    first, again, other = (params_of_twin(start, seed) for seed in (11, 11, 12))
    assert first == again
    assert first["ingest"]["twin"] != other["ingest"]["twin"]
    assert Params.model_validate(first).ingest.aoi.bounds == (322_000, 3_406_000, 334_000, 3_418_000)  # type: ignore[union-attr]


def test_what_is_random_is_not_the_same_for_all() -> None:
    start = StartParams.model_validate(PARAMS | {"years": [2016, 2020]})
    twins = [Params.model_validate(params_of_twin(start, seed)).ingest.twin for seed in range(500, 530)]
    assert len({twin.retreat_m_per_year for twin in twins}) > 20
    assert (
        {twin.early_snow_years == [] for twin in twins} == {twin.cloudy_years == [] for twin in twins} == {True, False}
    )
    assert all(0 <= twin.retreat_m_per_year <= 40 and 0.1 <= twin.debris_fraction <= 0.5 for twin in twins)


def test_a_change_of_the_training_changes_no_twin() -> None:
    longer = PARAMS | {"train": PARAMS["train"] | {"epochs": 9, "depth": 3}}
    twins = [params_of_twin(StartParams.model_validate(content), 11) for content in (PARAMS, longer)]
    assert twins[0] == twins[1]


def test_a_model_for_a_site_has_its_bands_patches_and_training() -> None:
    site = load_params(tiny.ROOT / "params.yaml")
    start = params_like(site, [7], [2016])
    assert (start.grid, start.prepare, start.patches, start.train) == (
        site.grid, site.prepare, site.patches, site.train,
    )  # fmt: skip


def test_a_model_for_a_site_does_not_learn_from_what_the_site_starts_from() -> None:
    content = yaml.safe_load((tiny.ROOT / "params.yaml").read_text())
    beyond = {"path": "models/start/model", "md5": f"{'0' * 32}.dir"}
    content["train"] = {**(content.get("train") or {}), "initial_model": beyond, "more_patches": [beyond]}
    start = params_like(Params.model_validate(content), [7], [2016])
    assert start.train.folders_beyond == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"seeds": [11, 11]}, "seeds names one twice", id="twice"),
        pytest.param({"seeds": []}, "seeds: List should have at least 1 item", id="none"),
        pytest.param({"sedes": [1]}, "sedes: Extra inputs are not permitted", id="misspelt"),
        pytest.param({"years": [2020, 2016]}, "years must be sorted and without duplicates", id="order"),
        pytest.param({"years": [2016, 2016]}, "years must be sorted and without duplicates", id="a year twice"),
        pytest.param({"patches": PARAMS["patches"] | {"size_px": 33}}, "patches.size_px is 33", id="patches"),
        pytest.param({"train": {"depth": 6}}, "train.depth and train.stem need multiples", id="depth"),
        pytest.param(
            {"train": {"initial_model": {"path": "../start/model", "md5": f"{'0' * 32}.dir"}}},
            "train names ../start/model, but the model learns from its twins alone",
            id="another start",
        ),
        pytest.param({"train": {"epochs": 0}}, "train.epochs: Input should be greater", id="no training"),
    ],
)
def test_parameters_that_are_wrong_are_named(change: dict[str, Any], words: str, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(PARAMS | change))
    with pytest.raises(ParamsError, match=words):
        read_params(tmp_path / "params.yaml")


def test_the_shipped_model_fits_the_demo_and_has_not_seen_its_ground() -> None:
    demo, start = load_params(tiny.ROOT / "params.yaml"), read_params(tiny.ROOT / "models/start/params.yaml")
    for section, names in {
        "prepare": ("bands", "storage"), "grid": ("pixel_size_m",), "train": ("base_channels", "depth", "stem"),
    }.items():  # fmt: skip
        for name in names:
            assert getattr(getattr(start, section), name) == getattr(getattr(demo, section), name), name
    assert demo.ingest.twin.seed not in start.seeds


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.parent.name)
def test_a_pipeline_depends_on_the_code_that_it_runs(path: Path) -> None:
    text = path.read_text()
    assert with_code_of_stages(text) == text, "run `make docs`"
    deps = yaml.safe_load(text)["stages"]["twin"]["deps"]
    assert {f"../../stages/{name}" for name in ("ingest", "prepare", "labels", "patches")} <= set(deps)
    assert "../../stages/train" not in deps
