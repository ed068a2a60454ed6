"""Workflows call `make`, pin what they use, and write only where no project code runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
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
