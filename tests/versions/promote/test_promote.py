"""Promotion and rollback on a real store, a real DVC remote and real git."""

from __future__ import annotations

import re
from typing import Any

import mlflow
import pytest

from sandbox import tiny
from stages.common.errors import GateError, InputError
from tests.versions.conftest import Site
from tests.versions.models import BETTER, DIM, GOOD, INVERTED
from tests.versions.promote.conftest import names_the_same_bytes
from versions.promote.promote import gate_tag, promote, rollback
from versions.registry import champion


@pytest.mark.parametrize(
    ("gate", "tag"),
    [
        ("not_worse on size > 10 km2", "promotion.not_worse_on_size_over_10_km2"),
        ("not_worse on size < 0.5 km2", "promotion.not_worse_on_size_under_0.5_km2"),
        ("held_out", "promotion.held_out"),
    ],
)
def test_the_tag_of_a_gate_is_one_that_mlflow_takes(gate: str, tag: str) -> None:
    assert gate_tag(gate) == tag


def test_promotion_refusal_and_rollback(site: Site) -> None:
    first = site.register(GOOD)
    assert "IoU" in promote(site.folder, None)
    names_the_same_bytes(site, first)
    assert site.tags(first)["promotion"] == "passed"

    worse = site.register(DIM)
    with pytest.raises(GateError) as caught:
        promote(site.folder, worse)
    assert "not_worse" in caught.value.found
    names_the_same_bytes(site, first)
    tags = site.tags(worse)
    assert tags["promotion"] == "refused"
    assert tags["promotion.not_worse"].startswith("failed: ")
    assert tags["promotion.calibration"].startswith(("passed: ", "failed: "))
    assert "| **failed** | not_worse |" in site.entity(worse).description

    better = site.register(BETTER)
    assert f"in place of version {first}" in promote(site.folder, None)
    names_the_same_bytes(site, better)
    assert site.registry.champions() == [first, better]

    assert f"version {first} of glacier-tiny is champion again" in rollback(site.folder)
    names_the_same_bytes(site, first)
    with pytest.raises(InputError, match="no champion to go back to"):
        rollback(site.folder)
    names_the_same_bytes(site, first)


def test_versions_are_searched_once_and_each_model_is_downloaded_once(
    site: Site, two: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    searches, downloads = [], []
    search, download = mlflow.MlflowClient.search_model_versions, mlflow.artifacts.download_artifacts

    def count_search(*arguments: Any, **named: Any) -> Any:
        searches.append(arguments)
        return search(*arguments, **named)

    def count_download(**named: str) -> str:
        downloads.extend(uri for key, uri in named.items() if key == "artifact_uri")
        return str(download(**named))

    monkeypatch.setattr(mlflow.MlflowClient, "search_model_versions", count_search)
    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", count_download)
    promote(site.folder, None)
    assert len(searches) == 1
    assert sorted(downloads) == [f"models:/glacier-tiny/{number}" for number in two]


def test_an_inverted_model_is_refused_with_exit_code_1_and_its_reasons(site: Site) -> None:
    site.register(INVERTED)
    result = site.tool("promote")
    assert result.returncode == 1
    for gate in ("beats_baselines", "area_bias"):
        assert re.search(rf"^FAIL +{gate}", result.stderr, re.M)
    assert site.registry.champion is None
    assert not (site.folder / champion.POINTER).exists()


@pytest.mark.parametrize(
    ("registered", "gate"),
    [
        pytest.param({"patches.test_fold": "3"}, "held_out", id="trained on other blocks"),
        pytest.param({"tags": {"split_data_md5": "other outlines"}}, "held_out", id="trained with other outlines"),
        pytest.param({"gates": False}, "sanity", id="areas that cannot be true"),
    ],
)
def test_what_scores_alone_would_not_show(site: Site, registered: dict[str, object], gate: str) -> None:
    site.register(GOOD, **registered)  # type: ignore[arg-type]
    with pytest.raises(GateError) as caught:
        promote(site.folder, None)
    assert caught.value.found == gate


def test_areas_that_another_model_mapped_are_mapped_again_with_this_one(site: Site) -> None:
    """What the run's gates say of the champion's areas is not asked: here that they cannot be true."""
    site.register(GOOD, gates=False, tags={"maps_by_this_model": "false"})
    promote(site.folder, None)
    site.register(INVERTED, tags={"maps_by_this_model": "false"})
    with pytest.raises(GateError) as caught:
        promote(site.folder, None)
    assert "sanity" in caught.value.found


def test_a_champion_that_may_know_the_test_blocks_is_not_compared(site: Site) -> None:
    champion_of_before = site.register(BETTER, **{"patches.test_fold": "3"})
    site.registry.crown(champion_of_before, instead_of=None)
    promote(site.folder, champion_of_before)
    site.register(GOOD)
    assert re.search(
        r"PASS +not_worse +not compared: champion \(version 1\) may have learned", promote(site.folder, None)
    )


def test_test_blocks_of_other_parameters_are_not_judged_on(site: Site) -> None:
    site.register(GOOD)
    params = tiny.params(site.folder / "source", [2020])
    params["patches"]["test_fold"] = 2
    tiny.write_params(site.folder, params)
    with pytest.raises(InputError, match="test blocks in artifacts/ are not those of") as caught:
        promote(site.folder, None)
    assert caught.value.found == "out of date: patches@2020"
    assert site.registry.champion is None


def test_files_of_an_older_run_are_brought_up_to_date(site: Site) -> None:
    site.register(GOOD)
    (site.folder / "artifacts/patches/2020/split.tif").unlink()
    promote(site.folder, None)
    assert (site.folder / "artifacts/patches/2020/split.tif").exists()


def test_a_tag_of_another_store_is_not_overwritten(site: Site) -> None:
    site.register(GOOD)
    site.done("git", "tag", "champion@v1.0.0")
    with pytest.raises(InputError, match="names another model"):
        promote(site.folder, None)
    assert site.registry.champion is None


def test_nothing_registered_and_no_such_version(site: Site) -> None:
    with pytest.raises(InputError, match="no model is registered yet"):
        promote(site.folder, None)
    with pytest.raises(InputError, match="there is no champion yet"):
        rollback(site.folder)
    site.register(GOOD)
    with pytest.raises(InputError, match="no version has this number") as caught:
        promote(site.folder, "7")
    assert caught.value.expected == "one of 1"


def test_what_the_user_has_staged_stays_out_of_the_champions_commit(site: Site) -> None:
    site.register(GOOD)
    (site.folder / "notes.txt").write_text("mine")
    site.done("git", "add", "notes.txt")
    promote(site.folder, None)
    assert site.done("git", "status", "--porcelain") == "A  notes.txt"
    assert "notes.txt" not in site.done("git", "show", "--stat", "HEAD")
