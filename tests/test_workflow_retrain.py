"""The workflow that retrains: which sites, compared with what, and what it proposes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow_scripts import REMOTE, SITES, Hub, Machine, read, step_of


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.start(tmp_path, SITES)


def chosen(machine: Machine, event: str, base: str = "", site: str = "") -> tuple[str, str]:
    """Sites and base of a retraining."""
    ran = machine.run("retrain", "sites", "Which sites", EVENT=event, BASE=base, SITE=site)
    assert ran.code == 0, ran.log
    return ran.outputs["sites"], ran.outputs["base"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({"params.yaml": "epochs: 2\n"}, ".", id="the root's parameters"),
        pytest.param({"sites/everest/data.dvc": "data 2\n"}, "everest", id="a site's data"),
        pytest.param({"sites/gangotri/data.dvc": "data 1\n"}, "gangotri", id="a new site's first data"),
        pytest.param({"data.dvc": "data 2\n", "sites/everest/params.yaml": "x\n"}, ". everest", id="both"),
        pytest.param({"stages/train/net.py": "width = 8\n"}, ". everest", id="code, every site with a lock"),
        pytest.param({"stages/train/net.py": None}, ". everest", id="code that goes"),
        pytest.param({"dvc.yaml": "more\n", "sites/gangotri/params.yaml": "x\n"}, ". everest gangotri", id="all"),
        pytest.param({"README.md": "more\n", "docs/data.dvc": "x\n"}, "", id="nothing of it"),
        pytest.param({f"sites/everest/{name}": None for name in ("params.yaml", "data.dvc")}, "", id="a site goes"),
    ],
)  # fmt: skip
def test_a_push_retrains_the_sites_that_it_concerns(hub: Hub, files: dict[str, str | None], expected: str) -> None:
    machine = hub.machine("sites")
    before = machine.git("rev-parse", "HEAD")
    machine.commit(files)
    assert chosen(machine, "push", before) == (expected, before)


@pytest.mark.parametrize("base", ["", "0" * 40, "dead" * 10], ids=["none", "a new branch", "a forced push"])
def test_a_push_without_a_known_commit_before_retrains_every_site_and_compares_as_by_hand(hub: Hub, base: str) -> None:
    assert chosen(hub.machine("sites"), "push", base) == (". everest", "")


def test_the_schedule_retrains_every_site_with_a_lock_and_a_hand_the_one_that_it_names(hub: Hub) -> None:
    machine = hub.machine("sites")
    assert chosen(machine, "schedule") == (". everest", "")
    assert chosen(machine, "workflow_dispatch") == (".", "")
    assert chosen(machine, "workflow_dispatch", site="gangotri") == ("gangotri", "")


RETRAINING = """
    site=$(sed -nE 's/^retrain SITE=(\\S*).*/\\1/p' <<<"$*")
    case "$*" in "retrain SITE= "*) site=. ;; retrain*) site=sites/$site ;; *) exit 0 ;; esac
    echo 'lock 2' > "$site/dvc.lock"
    mkdir -p "$site/metrics" && echo '{"iou": 1}' > "$site/metrics/train.json"
"""


def test_sites_are_retrained_one_by_one_and_proposed_in_a_pull_request(hub: Hub) -> None:
    machine = hub.machine("retrain")
    machine.stub("make", RETRAINING)
    base = machine.git("rev-parse", "HEAD")
    ran = machine.run("retrain", "retrain", "Retrain", SITES=". everest", BASE=base, **REMOTE)
    assert ran.code == 0, ran.log
    assert machine.calls("make") == [
        "-s remote URL=s3://bucket/glacier", f"retrain SITE= BASE={base}", f"retrain SITE=everest BASE={base}",
    ]  # fmt: skip
    new = machine.run("retrain", "retrain", "What is new", PASSED=ran.outputs["passed"])
    assert new.outputs["changed"] == "true"

    writer = hub.machine("propose")
    variables = {"PATCH": new.outputs["patch"], "BRANCH": "retrain/7-1", "BASE": "main", "RUN": "url"}
    ran = writer.run("retrain", "propose", "Open a pull request", **variables)
    assert ran.code == 0, ran.log
    assert hub.git("rev-parse", "retrain/7-1^") == hub.git("rev-parse", "main")
    changed = ["dvc.lock", "metrics/train.json", "sites/everest/dvc.lock", "sites/everest/metrics/train.json"]
    assert hub.git("diff", "--name-only", "main", "retrain/7-1").splitlines() == changed
    assert writer.calls("gh")[-1].startswith("pr create --base main --head retrain/7-1")


def test_a_patch_holds_locks_data_and_metrics_of_root_and_sites_changed_or_new_and_nothing_else(hub: Hub) -> None:
    machine = hub.machine("retrain")
    proposed = {
        "dvc.lock": "lock 2\n", "data.dvc": "data 2\n", "metrics/train.json": "{1}\n", "metrics/area.json": "{2}\n",
        "metrics/old.json": None, "sites/everest/dvc.lock": "lock 2\n", "sites/everest/metrics/area.json": "{3}\n",
        "sites/gangotri/dvc.lock": "lock 1\n", "sites/gangotri/data.dvc": "data 1\n",
    }  # fmt: skip
    machine.write(proposed)
    others = ["params.yaml", "sites/everest/params.yaml", "stages/train/net.py", "artifacts/x", "retrain-summary.md"]
    machine.write(dict.fromkeys([*others, "docs/data.dvc", "bench/metrics/x.json", "sites/new/dvc.lock"], "x\n"))
    new = machine.run("retrain", "retrain", "What is new", PASSED=" . everest gangotri")
    assert new.code == 0, new.log
    assert new.patched == sorted(proposed)


@pytest.mark.parametrize("gone", [[], ["metrics/train.json", "metrics/old.json"], ["data.dvc"]], ids=str)
def test_a_patch_needs_neither_metrics_nor_data(hub: Hub, gone: list[str]) -> None:
    hub.machine("anna").commit({"README.md": "more\n", **dict.fromkeys(gone)})
    machine = hub.machine("retrain")
    new = machine.run("retrain", "retrain", "What is new", PASSED=" .")
    assert (new.code, new.outputs) == (0, {"changed": "false"})
    machine.write({"dvc.lock": "lock 2\n"})
    assert machine.run("retrain", "retrain", "What is new", PASSED=" .").patched == ["dvc.lock"]


def test_a_site_that_failed_proposes_nothing_and_keeps_no_other_back(hub: Hub) -> None:
    machine = hub.machine("retrain")
    machine.stub("make", RETRAINING + 'case "$site" in .) exit 2 ;; sites/gangotri) exit 1 ;; esac')
    ran = machine.run("retrain", "retrain", "Retrain", SITES=". everest gangotri", **REMOTE)
    assert ran.code == 2, "the worst of all"
    new = machine.run("retrain", "retrain", "What is new", PASSED=ran.outputs["passed"])
    assert new.patched == ["sites/everest/dvc.lock", "sites/everest/metrics/train.json"]
    # A job or step after a failed one does not begin, unless its condition says so.
    assert step_of("retrain", "retrain", "What is new")["if"] == "${{ !cancelled() }}"
    assert read("retrain")["jobs"]["propose"]["if"].startswith("${{ !cancelled() && ")


def test_a_retraining_that_failed_proposes_nothing(hub: Hub) -> None:
    machine = hub.machine("retrain")
    machine.stub("make", RETRAINING + "exit 2")
    ran = machine.run("retrain", "retrain", "Retrain", SITES=".", **REMOTE)
    assert ran.code == 2
    new = machine.run("retrain", "retrain", "What is new", PASSED=ran.outputs["passed"])
    assert new.outputs == {"changed": "false"}


def test_a_run_repeated_has_a_branch_of_its_own() -> None:
    assert "github.run_attempt" in step_of("retrain", "propose", "Open a pull request")["env"]["BRANCH"]
