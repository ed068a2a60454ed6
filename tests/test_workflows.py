"""Workflows call `make`, pin what they use, write only where no project code runs, and their scripts work."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflow_scripts import REMOTE, ROOT, SITES, Hub, step_of

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


INJECTED = ["1; touch INJECTED", "$(shell touch INJECTED)", "$(touch INJECTED)", "`touch INJECTED`", "../x"]
"""What make or a shell would run, or what is not a name."""


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    return Hub.start(tmp_path, SITES)


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


@pytest.mark.parametrize("stale", ["SITE=", "SITE=everest", "MODEL=start"])
def test_the_lock_of_the_root_of_every_site_and_every_model_is_checked(hub: Hub, stale: str) -> None:
    machine = hub.machine("checks")
    machine.stub("make")
    assert machine.run("ci", "checks", "Is every dvc.lock current?").code == 0
    assert machine.calls("make") == ["check-lock SITE=", "check-lock MODEL=start", "check-lock SITE=everest"]
    machine.stub("make", f'[ "$*" != "check-lock {stale}" ]')
    assert machine.run("ci", "checks", "Is every dvc.lock current?").code == 1
    assert len(machine.calls("make")) == 6, "one that is stale keeps no other back"
