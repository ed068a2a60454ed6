"""The summary of a retraining, as Markdown: for the console, a file, and a CI's summary page."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common import settings
from stages.common.errors import InputError
from stages.common.revision import history_hint, run_git
from stages.common.run.documents import parse_yaml, read_yaml
from stages.common.run.flatten import flatten
from versions.promote.gates import findings_markdown
from versions.promote.promote import PromotionVerdict
from versions.tools.commands import ROOT, in_git, run_quietly

SUMMARY = Path("retrain-summary.md")
METRICS = ("metrics/train.json", "metrics/evaluate.json", "metrics/area.json")

Row = tuple[str, str, str, str]
"""Name, value at the base, value now, difference."""


@dataclass(frozen=True)
class Outcome:
    """How a retraining ended."""

    base: str
    """Git revision that it is compared with; empty without git."""
    pull_error: str
    """Error of the pull; empty where it succeeded."""
    push_error: str
    """Error of the push; empty where it succeeded."""
    sanity_passed: bool
    verdict: PromotionVerdict | None
    """None where the challenger is the champion already, or was not judged."""
    judging_error: str = ""
    """Why the challenger could not be judged; empty where it could."""


def base_revision(site: Path, requested: str | None) -> str:
    """Return the revision to compare with: the requested one, else origin/main, main, or the last commit.

    Raises
    ------
    InputError
        Git has no such revision.
    """
    for name in [requested] if requested else ["origin/main", "main", "HEAD"]:
        if run_git(site, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").returncode == 0:
            return name
    if requested:
        raise InputError(
            "git has no such revision",
            where="--base",
            found=requested,
            fix=f"{history_hint(site)}fetch it, or correct its name",
        )
    return ""


def write_summary(site: Path, outcome: Outcome) -> str:
    """Write the summary beside params.yaml and to where a CI shows it; return it."""
    title = read_yaml(site / "params.yaml")["site"]["title"]
    parts = [f"# Retrained: {title}", endings(outcome)]
    if outcome.base and in_git(site):
        parts += [*changes(site, outcome.base), *compared_maps(site, outcome.base)]
    parts += ["## Areas", f"```\n{area_summary(site)}\n```", "## Promotion"]
    parts += promotion(outcome.verdict, outcome.judging_error)
    text = "\n\n".join(parts) + "\n"
    (site / SUMMARY).write_text(text, encoding="utf-8")
    if page := settings.get(settings.STEP_SUMMARY, ""):
        with Path(page).open("a", encoding="utf-8") as stream:
            stream.write(text)
    return text


def endings(outcome: Outcome) -> str:
    """Return how each part ended, in sentences."""
    gates = "All sanity gates passed." if outcome.sanity_passed else "**A sanity gate failed: do not use the areas.**"
    sentences = [gates]
    if outcome.pull_error:
        sentences.append(f"The pull failed ({outcome.pull_error}); what was on this machine was used.")
    if outcome.push_error:
        sentences.append(
            f"**The results are not all on the remote** ({outcome.push_error}): run `dvc push` when it answers."
        )
    return " ".join(sentences)


def changes(site: Path, base: str) -> list[str]:
    """Return what is new against the base: years, data, parameters, metrics, results."""

    def at_base(name: str) -> Any:
        return parse_yaml(run_git(site, "show", f"{base}:./{name}").stdout, f"{base}:{name}")

    def now(name: str) -> Any:
        return read_yaml(site / name)

    old, new = at_base("params.yaml"), now("params.yaml")
    years = sorted(set(new.get("years", [])) - set(old.get("years", [])))
    data = changed_keys(_outs(at_base("data.dvc")), _outs(now("data.dvc")))
    stages = changed_keys(_stages(at_base("dvc.lock")), _stages(now("dvc.lock")))
    lines = [
        f"- new years: {', '.join(map(str, years)) or 'none'}",
        f"- changed data: {', '.join(data) or 'none'}",
        f"- new results of: {', '.join(stages) or 'no stage'}",
    ]
    metrics = [
        row
        for name in METRICS
        for row in changed_metrics(Path(name).stem, _document(at_base(name)), _document(now(name)))
    ]
    return [
        f"## Against `{base}`",
        "\n".join(lines),
        *_table("parameter", changed_params(flatten(old), flatten(new))),
        *_table("metric", metrics),
    ]


def compared_maps(site: Path, base: str) -> list[str]:
    """Return what `make compare` says of the base's maps and these; nothing where the base has no results."""
    command = [sys.executable, "-m", "versions.compare", base, "workspace"]
    done = run_quietly(command, site)
    return [f"## Maps against `{base}`", f"```\n{done.stdout.strip()}\n```"] if done.returncode == 0 else []


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the keys whose value is new or has changed."""
    return [key for key, value in new.items() if old.get(key) != value]


def changed_params(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Row]:
    """Return a row for each parameter that differs, without a difference."""
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return [(key, str(old.get(key, "")), str(new.get(key, "")), "") for key in keys]


def changed_metrics(stage: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Row]:
    """Return a row for each number of a stage's metrics that differs."""
    rows = []
    for key, value in new.items():
        before = old.get(key)
        if before == value or not _is_number(value):
            continue
        has_before = before is not None and _is_number(before)
        texts = (f"{before:.4g}", f"{value - before:+.2g}") if has_before else ("", "")
        rows.append((f"{stage} {key}", texts[0], f"{value:.4g}", texts[1]))
    return rows


def area_summary(site: Path) -> str:
    """Return what bin/summary prints of the areas."""
    command = [sys.executable, str(ROOT / "bin/summary"), str(site)]
    return run_quietly(command, Path()).stdout.strip()


def promotion(verdict: PromotionVerdict | None, judging_error: str = "") -> list[str]:
    """Return what the gates of a promotion would say, and what to do."""
    if judging_error:
        return [f"**Not judged**: {judging_error}."]
    if verdict is None:
        return ["The challenger is the champion already."]
    advice = "`make promote` would make it champion." if verdict.passed else "`make promote` would refuse it."
    return [
        f"Version {verdict.number} ({verdict.rival}):",
        findings_markdown(verdict.findings),
        f"{advice} Nothing was promoted. To keep the results, commit dvc.lock, metrics/ and data.dvc.",
    ]


def _outs(pointer: Mapping[str, Any]) -> dict[str, Any]:
    return {out["path"]: out.get("md5") for out in pointer.get("outs", [])}


def _stages(lock: Mapping[str, Any]) -> dict[str, Any]:
    return {name: stage.get("outs") for name, stage in lock.get("stages", {}).items()}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _document(content: Any) -> dict[str, Any]:
    return flatten(json.loads(json.dumps(content)))


def _table(what: str, rows: list[Row]) -> list[str]:
    if not rows:
        return []
    lines = [f"| {' | '.join(row)} |" for row in ((what, "at the base", "now", "difference"), ("---",) * 4, *rows)]
    return ["\n".join(lines)]
