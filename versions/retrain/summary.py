"""What a retraining found, as Markdown: for the console, a file, and a CI's summary page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from stages.common import settings
from stages.common.errors import InputError
from stages.common.run.flatten import flatten
from versions.promote.gates import as_markdown
from versions.promote.promote import Verdict
from versions.tools.commands import git, in_git
from versions.tools.scratch import ROOT

SUMMARY = Path("retrain-summary.md")
METRICS = ("metrics/train.json", "metrics/evaluate.json", "metrics/area.json")


@dataclass(frozen=True)
class Outcome:
    """How a retraining ended."""

    base: str
    """Git revision it is compared with; empty: there is no git."""
    pulled: str
    """What went wrong with the pull, or nothing."""
    pushed: str
    """What went wrong with the push, or nothing."""
    sanity_passed: bool
    verdict: Verdict | None
    """None: the challenger is the champion already, or see `unjudged`."""
    unjudged: str = ""
    """Why the challenger could not be judged."""


def base_revision(site: Path, wanted: str | None) -> str:
    """Revision to compare with: the one wanted, else origin/main, main, or the last commit.

    Raises
    ------
    InputError
        Git does not know the one wanted.
    """
    for name in [wanted] if wanted else ["origin/main", "main", "HEAD"]:
        if git(site, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 0:
            return name
    if wanted:
        raise InputError("git does not know this revision", where="--base", found=wanted, fix="fetch it, or mend it")
    return ""


def write_summary(site: Path, outcome: Outcome) -> str:
    """Write the summary beside params.yaml and to where a CI shows it; return it."""
    title = yaml.safe_load((site / "params.yaml").read_text(encoding="utf-8"))["site"]["title"]
    parts = [f"# Retrained: {title}", endings(outcome)]
    if outcome.base and in_git(site):
        parts += [*changes(site, outcome.base), *maps(site, outcome.base)]
    parts += ["## Areas", f"```\n{areas(site)}\n```", "## Promotion", *promotion(outcome.verdict, outcome.unjudged)]
    text = "\n\n".join(parts) + "\n"
    (site / SUMMARY).write_text(text, encoding="utf-8")
    if page := settings.get(settings.STEP_SUMMARY, ""):
        with Path(page).open("a", encoding="utf-8") as stream:
            stream.write(text)
    return text


def endings(outcome: Outcome) -> str:
    """How each part ended, in sentences."""
    said = ["All sanity gates passed." if outcome.sanity_passed else "**A sanity gate failed: do not use the areas.**"]
    if outcome.pulled:
        said.append(f"The remote gave nothing ({outcome.pulled}); what was here was used.")
    if outcome.pushed:
        said.append(f"**The results are not all on the remote** ({outcome.pushed}): run `dvc push` when it answers.")
    return " ".join(said)


def changes(site: Path, base: str) -> list[str]:
    """What is new against the base: years, data, parameters, metrics, results."""

    def then(name: str) -> Any:
        return yaml.safe_load(git(site, "show", f"{base}:./{name}").stdout) or {}

    def now(name: str) -> Any:
        path = site / name
        return yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else {}

    old, new = then("params.yaml"), now("params.yaml")
    years = sorted(set(new.get("years", [])) - set(old.get("years", [])))
    data = differing(_outs(then("data.dvc")), _outs(now("data.dvc")))
    stages = differing(_stages(then("dvc.lock")), _stages(now("dvc.lock")))
    lines = [
        f"- new years: {', '.join(map(str, years)) or 'none'}",
        f"- changed data: {', '.join(data) or 'none'}",
        f"- new results of: {', '.join(stages) or 'no stage'}",
    ]
    numbers = [
        row for name in METRICS for row in metric_rows(Path(name).stem, _document(then(name)), _document(now(name)))
    ]
    return [
        f"## Against `{base}`",
        "\n".join(lines),
        *_table("parameter", changed_rows(flatten(old), flatten(new))),
        *_table("metric", numbers),
    ]


def maps(site: Path, base: str) -> list[str]:
    """What `make compare` says of the base's maps and these; nothing where the base has no results."""
    done = module(site, "versions.compare.compare", base, "workspace")
    return [f"## Maps against `{base}`", f"```\n{done.stdout.strip()}\n```"] if done.returncode == 0 else []


def differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Keys whose value is new or another."""
    return [key for key, value in new.items() if old.get(key) != value]


def changed_rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Key, then, now, and nothing, of what differs."""
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return [(key, str(old.get(key, "")), str(new.get(key, "")), "") for key in keys]


def metric_rows(group: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Metric, then, now, and the difference, of numbers that differ."""
    rows = []
    for key, value in new.items():
        was = old.get(key)
        if was == value or not _is_number(value):
            continue
        known = (f"{was:.4g}", f"{value - was:+.2g}") if was is not None and _is_number(was) else ("", "")
        rows.append((f"{group} {key}", known[0], f"{value:.4g}", known[1]))
    return rows


def areas(site: Path) -> str:
    """What bin/summary says of the areas."""
    command = [sys.executable, str(ROOT / "bin/summary"), str(site)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def module(site: Path, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a tool of this package in a process of its own."""
    command = [sys.executable, "-m", name, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)


def promotion(verdict: Verdict | None, unjudged: str = "") -> list[str]:
    """What the gates of a promotion would say, and what to do."""
    if unjudged:
        return [f"**Not judged**: {unjudged}."]
    if verdict is None:
        return ["The challenger is the champion already."]
    last = "`make promote` would make it champion." if verdict.passed else "`make promote` would refuse it."
    return [
        f"Version {verdict.number} ({verdict.against}):",
        as_markdown(verdict.findings),
        f"{last} Nothing was promoted. To keep the results, commit dvc.lock, metrics/ and data.dvc.",
    ]


def _outs(pinned: Mapping[str, Any]) -> dict[str, Any]:
    return {out["path"]: out.get("md5") for out in pinned.get("outs", [])}


def _stages(lock: Mapping[str, Any]) -> dict[str, Any]:
    return {name: stage.get("outs") for name, stage in lock.get("stages", {}).items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _document(content: Any) -> dict[str, Any]:
    return flatten(json.loads(json.dumps(content)))


def _table(what: str, rows: list[tuple[str, str, str, str]]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(row)} |" for row in ((what, "then", "now", "difference"), ("---",) * 4, *rows)]
    return ["\n".join(lines)]
