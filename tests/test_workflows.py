"""Workflows call `make`, pin what they use, write only where no project code runs, and their scripts work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow_scripts import ROOT, Hub, Machine, Ran, read, step_of

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


def jobs(path: Path) -> dict[str, Any]:
    return dict(yaml.safe_load(path.read_text())["jobs"])


def scripts(job: dict[str, Any]) -> str:
    return "\n".join(step.get("run", "") for step in job["steps"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_make_target_exists(path: Path) -> None:
    called = {name for job in jobs(path).values() for name in re.findall(r"\bmake (?:-s )?([a-z-]+)", scripts(job))}
    assert called
    assert called <= TARGETS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    for job in jobs(path).values():
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"])


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_what_may_write_runs_none_of_the_projects_code(path: Path) -> None:
    for job in jobs(path).values():
        if "write" in job["permissions"].values():
            assert not re.search(r"^\s*(make|python|dvc|pip)\b", scripts(job), re.M)
            assert "secrets." not in str(job)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_secrets_are_given_to_steps_that_need_them_and_never_printed(path: Path) -> None:
    assert "secrets." not in str({**yaml.safe_load(path.read_text()), "jobs": None})
    for job in jobs(path).values():
        assert "secrets." not in str({**job, "steps": None})
        assert "${{" not in scripts(job), "an expression in a script can inject code; pass it by env"
        assert not re.search(r"echo.*(AWS_|TRACKING_URI|TOKEN)|set -x", scripts(job))


SITES = {
    "params.yaml": "epochs: 1\n", "data.dvc": "data 1\n", "dvc.lock": "lock 1\n", "dvc.yaml": "stages\n",
    "metrics/train.json": "{}\n", "metrics/old.json": "{}\n", "stages/train/net.py": "width = 16\n",
    "sites/everest/params.yaml": "epochs: 1\n", "sites/everest/data.dvc": "data 1\n",
    "sites/everest/dvc.lock": "lock 1\n", "sites/gangotri/params.yaml": "epochs: 1\n", ".gitignore": "artifacts/\n",
}  # fmt: skip
REMOTE = {"DVC_REMOTE_URL": "s3://bucket/glacier", "MLFLOW_TRACKING_URI": "https://mlflow.example"}
TAG = "champion@v2.0.0"
POINTER = "models/champion/model.onnx.dvc"
INJECTED = ["1; touch INJECTED", "$(shell touch INJECTED)", "$(touch INJECTED)", "`touch INJECTED`", "../x"]
"""What make or a shell would run, or what is not a name."""


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.start(tmp_path, SITES)


def promoting(pointer: str, tag: str = TAG) -> str:
    """Return a `make promote` that, as the real one, commits a new pointer and sets a tag that does not exist yet."""
    return f"""
        case "$*" in *promote*) ;; *) exit 0 ;; esac
        mkdir -p models/champion && echo '{pointer}' > {POINTER} && git add {POINTER}
        git diff --cached --quiet || git commit --quiet --message "Champion"
        git rev-parse --quiet --verify 'refs/tags/{tag}' >/dev/null || git tag --annotate --message "Champion" '{tag}'
        echo 'models/champion/model.onnx'
        echo '  champion is {tag}'
    """


def promoted(machine: Machine, pointer: str, tag: str = TAG) -> dict[str, str]:
    """Return the outputs of the job `promote`, as the variables of the job `publish`."""
    machine.stub("make", promoting(pointer, tag))
    before = machine.git("rev-parse", "HEAD")
    ran = machine.run("promote", "promote", "Promote", **REMOTE)
    assert ran.code == 0, ran.log
    outputs = machine.run("promote", "promote", "What is new", BEFORE=before).outputs
    return {key.upper(): value for key, value in outputs.items()} | {"BASE": "main"}


def publish(machine: Machine, outputs: dict[str, str]) -> Ran:
    return machine.run("promote", "publish", "Push", **outputs)


def test_a_champion_is_committed_and_tagged_though_the_branch_moved_meanwhile(hub: Hub) -> None:
    outputs = promoted(hub.machine("promote"), "md5 2")
    moved = hub.machine("anna").commit({"README.md": "more\n"})
    ran = publish(hub.machine("publish"), outputs)
    assert ran.code == 0, ran.log
    assert hub.git("rev-parse", "main^") == moved
    assert hub.git("show", f"main:{POINTER}") == "md5 2"
    assert hub.git("rev-parse", f"{TAG}^{{commit}}") == hub.git("rev-parse", "main")
    assert hub.git("cat-file", "-t", TAG) == "tag"
    assert hub.git("log", "-1", "--format=%s %an", "main") == f"Champion: {TAG} github-actions[bot]"


def test_a_champion_of_the_same_bytes_gets_its_tag(hub: Hub) -> None:
    head = hub.machine("anna").commit({POINTER: "md5 1\n"})
    outputs = promoted(hub.machine("promote"), "md5 1")
    assert outputs["CHANGED"] == "false"
    ran = publish(hub.machine("publish"), outputs)
    assert ran.code == 0, ran.log
    assert hub.git("rev-parse", "main") == hub.git("rev-parse", f"{TAG}^{{commit}}") == head


def test_a_champion_promoted_again_after_a_rollback_keeps_its_tag(hub: Hub) -> None:
    publish(hub.machine("publish"), promoted(hub.machine("promote"), "md5 2"))
    tagged = hub.git("rev-parse", TAG)
    rolled_back = hub.machine("anna").commit({POINTER: "md5 1\n"})
    outputs = promoted(hub.machine("promote again"), "md5 2")
    assert outputs["TAG"] == TAG
    ran = publish(hub.machine("publish again"), outputs)
    assert ran.code == 0, ran.log
    assert hub.git("show", f"main:{POINTER}") == "md5 2"
    assert hub.git("rev-parse", "main^") == rolled_back
    assert hub.git("rev-parse", TAG) == tagged


def test_a_champion_that_is_published_already_pushes_nothing(hub: Hub) -> None:
    outputs = promoted(hub.machine("promote"), "md5 2")
    publish(hub.machine("publish"), outputs)
    refs = hub.git("show-ref")
    unchanged = promoted(hub.machine("promote again"), "md5 2")
    for name, again in {"the run repeated": outputs, "another run": unchanged}.items():
        ran = publish(hub.machine(name), again)
        assert ran.code == 0, ran.log
        assert "nothing to push" in ran.log
        assert hub.git("show-ref") == refs


def test_where_the_branch_cannot_be_pushed_the_tag_is_not(hub: Hub) -> None:
    outputs = promoted(hub.machine("promote"), "md5 2")
    machine = hub.machine("publish")
    hub.machine("anna").commit({"README.md": "more\n"})
    refs = hub.git("show-ref")
    assert publish(machine, outputs).code
    assert hub.git("show-ref") == refs


def test_a_sites_champion_has_the_sites_tag(hub: Hub) -> None:
    tag = f"sites/everest={TAG}"
    ran = publish(hub.machine("publish"), promoted(hub.machine("promote"), "md5 2", tag))
    assert ran.code == 0, ran.log
    assert hub.git("rev-parse", f"refs/tags/{tag}^{{commit}}") == hub.git("rev-parse", "main")


@pytest.mark.parametrize("wrong", [{"TAG": ""}, {"TAG": "--delete"}, {"TAG": "v1\n"}, {"PATCH": ""}], ids=str)
def test_what_is_not_a_champion_or_lost_its_patch_is_not_published(hub: Hub, wrong: dict[str, str]) -> None:
    refs = hub.git("show-ref")
    ran = publish(hub.machine("publish"), promoted(hub.machine("promote"), "md5 2") | wrong)
    assert ran.code, ran.log
    assert hub.git("show-ref") == refs


def test_publish_takes_the_branch_as_it_is_now_with_its_tags() -> None:
    checkout = read("promote")["jobs"]["publish"]["steps"][0]["with"]
    assert checkout["ref"] == "${{ github.ref }}"
    assert checkout["fetch-depth"] == 0


def test_a_refused_promotion_fails_its_step(hub: Hub) -> None:
    machine = hub.machine("promote")
    machine.stub("make", 'case "$*" in *promote*) echo refused; exit 2 ;; esac')
    ran = machine.run("promote", "promote", "Promote", **REMOTE)
    assert ran.code == 2
    assert "refused" in ran.log


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


STARTS = [("retrain", "Retrain", {"SITES": "."}), ("promote", "Promote", {})]


@pytest.mark.parametrize(("workflow", "step", "variables"), STARTS, ids=["retrain", "promote"])
def test_without_a_remote_nothing_begins(hub: Hub, workflow: str, step: str, variables: dict[str, str]) -> None:
    machine = hub.machine("one")
    machine.stub("make")
    ran = machine.run(workflow, workflow, step, **variables)
    assert ran.code == 2
    assert "DVC_REMOTE_URL is not set" in ran.log
    assert not machine.calls("make")


def test_without_a_registry_nothing_is_promoted(hub: Hub) -> None:
    machine = hub.machine("one")
    machine.stub("make")
    ran = machine.run("promote", "promote", "Promote", **REMOTE | {"MLFLOW_TRACKING_URI": ""})
    assert ran.code == 2
    assert "No secret names the MLflow server" in ran.log
    assert not machine.calls("make")


@pytest.mark.parametrize(("workflow", "step", "variables"), STARTS, ids=["retrain", "promote"])
def test_secrets_that_are_set_arrive_and_others_are_absent(
    hub: Hub, workflow: str, step: str, variables: dict[str, str]
) -> None:
    machine = hub.machine("one")
    machine.stub("make", f'env > "{machine.home}/environment"')
    names = [name for name in step_of(workflow, workflow, step)["env"] if name.startswith(("AWS_", "MLFLOW_"))]
    for name in names:
        ran = machine.run(workflow, workflow, step, **variables, **REMOTE | {name: "one that is set"})
        assert ran.code == 0, ran.log
        environment_lines = [
            line for line in (machine.home / "environment").read_text().splitlines() if line.startswith(tuple(names))
        ]
        always = {f"{key}={value}" for key, value in REMOTE.items() if key in names and key != name}
        assert set(environment_lines) == {f"{name}=one that is set", *always}


@pytest.mark.parametrize(
    ("workflow", "job", "step", "name"),
    [
        ("promote", "promote", "Promote", "SITE"), ("promote", "promote", "Promote", "VERSION"),
        ("retrain", "sites", "Which sites", "SITE"), ("retrain", "sites", "Which sites", "BASE"),
        ("retrain", "retrain", "Retrain", "SITES"), ("retrain", "retrain", "Retrain", "BASE"),
    ],
)  # fmt: skip
def test_what_make_would_run_is_refused(hub: Hub, workflow: str, job: str, step: str, name: str) -> None:
    machine = hub.machine("one")
    # Make itself, with targets that do with their variables what the project's Makefile does.
    machine.write({"Makefile": "remote:\nretrain promote:\n\t@: $(SITE) $(VERSION) $(BASE)\n"})
    declared = step_of(workflow, job, step)["env"]
    variables = {key: text for key, text in {"SITES": ".", "EVENT": "push", **REMOTE}.items() if key in declared}
    allowed = machine.run(workflow, job, step, **variables)
    assert allowed.code == 0, allowed.log
    for value in INJECTED if name == "SITES" else [*INJECTED, "a b", "1\n2"]:
        ran = machine.run(workflow, job, step, **variables | {name: value})
        assert ran.code == 2, ran.log
        assert "refused" in ran.log
        assert not ran.outputs
        assert not (machine.checkout / "INJECTED").exists()


@pytest.mark.parametrize("stale", ["", "everest"])
def test_the_lock_of_the_root_and_of_every_site_is_checked(hub: Hub, stale: str) -> None:
    machine = hub.machine("checks")
    machine.stub("make")
    assert machine.run("ci", "checks", "Is every dvc.lock current?").code == 0
    assert machine.calls("make") == ["check-lock SITE=", "check-lock SITE=everest"]
    machine.stub("make", f'[ "$*" != "check-lock SITE={stale}" ]')
    assert machine.run("ci", "checks", "Is every dvc.lock current?").code == 1
    assert len(machine.calls("make")) == 4, "one that is stale keeps no other back"
