"""``make promote``: judge a registered version beside the champion, and make it champion if every gate passes.

The gates score both on the same frozen test blocks. Their findings are stored with the version, passed or not.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from stages.common.errors import GateError, InputError
from stages.common.gates import findings_table
from stages.common.params.schema import Params, load_params
from stages.common.run.exit_code import exit_code_of
from stages.common.tables.area import GateFinding
from versions.promote.challenger import challenger_number
from versions.promote.evidence import fetch_inputs, gather_evidence, sanity_findings
from versions.promote.gates import findings_markdown, judge_challenger
from versions.registry import champion as champion_files
from versions.registry.open import open_registry
from versions.registry.registered import RegisteredVersion
from versions.registry.registry import Registry
from versions.tools.cut_short import working_on_site
from versions.tools.scratch import temporary_folder

VERDICT_TAG = "promotion"
"""Tag of a version: passed or refused; ``promotion.<gate>`` holds a gate's finding."""
TAG_LIMIT = 5000
"""MLflow's limit for a tag's value."""


@dataclass(frozen=True)
class PromotionVerdict:
    """Findings of all gates on a version."""

    number: str
    champion: str | None
    findings: list[GateFinding]

    @property
    def passed(self) -> bool:
        """Whether the version may become champion."""
        return all(finding.passed for finding in self.findings)

    @property
    def rival(self) -> str:
        """Which champion the version was compared with."""
        return "no champion yet" if self.champion is None else f"champion: version {self.champion}"


def assess(
    version: RegisteredVersion, champion: RegisteredVersion | None, site: Path, params: Params, folder: Path
) -> PromotionVerdict:
    """Judge a version beside the champion, and change nothing; `folder` is for downloads."""
    fetch_inputs(site, params)
    rival = None
    if champion is not None and champion.md5 != version.md5:
        rival = gather_evidence(champion, site, params, folder)
    evidence = gather_evidence(version, site, params, folder)
    evidence = replace(evidence, sanity=sanity_findings(version, site, params, folder))
    findings = judge_challenger(evidence, rival, params.promote)
    return PromotionVerdict(version.number, champion.number if champion else None, findings)


def promote(site: Path, number: str | None) -> str:
    """Judge a version (None: the challenger), store the findings with it, and make it champion if all gates pass.

    Returns
    -------
    str
        The findings, and what was done.

    Raises
    ------
    GateError
        A gate failed; the champion stays.
    InputError
        There is no such version, or someone else changed the champion meanwhile.
    """
    params = load_params(site / "params.yaml")
    with open_registry(params.site.name) as registry, temporary_folder() as folder:
        version = registry.version(number or challenger_number(site, registry))
        champion = champion_version(registry)
        if champion is not None and champion.number == version.number:
            return f"version {version.number} is the champion already\n" + _hand_over(site, version, params, folder)
        _check_settled(site, champion)
        champion_files.check_tag(site, version.number, version.md5)
        verdict = assess(version, champion, site, params, folder)
        store_findings(registry, verdict)
        if not verdict.passed:
            raise refusal(registry, verdict)
        change = partial(registry.crown, version.number, instead_of=verdict.champion)
        steps = _hand_over(site, version, params, folder, change)
    before = f", in place of version {verdict.champion}" if verdict.champion else ""
    table = findings_table(verdict.findings)
    return f"{table}\nversion {version.number} of {registry.model_name} is champion{before}\n{steps}"


def rollback(site: Path) -> str:
    """Make the champion before the present one champion again; return what was done.

    Raises
    ------
    InputError
        There was none before, or the last change of champions was not finished.
    """
    params = load_params(site / "params.yaml")
    with open_registry(params.site.name) as registry, temporary_folder() as folder:
        present = champion_version(registry)
        if present is None:
            raise InputError(
                "there is no champion yet", where=registry.place, fix="`make promote` makes the first champion"
            )
        _check_settled(site, present)
        previous = registry.version(registry.champion_before(present.number))
        change = partial(registry.step_back, from_=present.number)
        steps = _hand_over(site, previous, params, folder, change)
    return (
        f"version {previous.number} of {registry.model_name} is champion again, in place of version {present.number}\n"
        f"{steps}"
    )


def champion_version(registry: Registry) -> RegisteredVersion | None:
    """Return the champion; None where there is none yet."""
    return registry.version(number) if (number := registry.champion) else None


def store_findings(registry: Registry, verdict: PromotionVerdict) -> None:
    """Put the findings, passed or failed, into the version's tags and description."""
    tags = {
        gate_tag(finding.gate): f"{'passed' if finding.passed else 'failed'}: {finding.message}"[:TAG_LIMIT]
        for finding in verdict.findings
    }
    word = "passed" if verdict.passed else "refused"
    title = f"Promotion {word} ({verdict.rival})"
    registry.annotate(verdict.number, {VERDICT_TAG: word, **tags}, f"{title}\n\n{findings_markdown(verdict.findings)}")


def gate_tag(gate: str) -> str:
    """Return the name of a gate's tag, of signs that MLflow takes: ``size > 10 km2`` is ``size_over_10_km2``."""
    name = gate.replace("<", "under").replace(">", "over")
    return f"{VERDICT_TAG}.{re.sub(r'[^a-zA-Z0-9_.-]+', '_', name)}"


def refusal(registry: Registry, verdict: PromotionVerdict) -> GateError:
    """Return the error of a version that does not pass."""
    failed = [finding for finding in verdict.findings if not finding.passed]
    return GateError(
        f"version {verdict.number} is refused: {len(failed)} of {len(verdict.findings)} gates failed\n"
        + findings_table(verdict.findings),
        where=registry.place,
        expected=f"a model within the bounds of params.yaml: promote ({verdict.rival})",
        found=", ".join(finding.gate for finding in failed),
        fix="the champion stays; look at the version's page (`make ui`) and train another model",
    )


def _check_settled(site: Path, champion: RegisteredVersion | None) -> None:
    """Refuse to change the champion while the files of this checkout name another one than the registry."""
    if champion is not None:
        champion_files.check_settled(site, champion.number, champion.md5)


def _hand_over(
    site: Path,
    version: RegisteredVersion,
    params: Params,
    folder: Path,
    change: Callable[[], object] = lambda: None,
) -> str:
    """Fetch all that is needed, `change` the registry, and let the files follow; return what was done."""
    champion_files.check_tag(site, version.number, version.md5)
    model = version.fetch_model(folder)
    change()
    message = f"Champion of {params.site.name}: version {version.number}\n\nMD5 {version.md5}"
    return "\n".join(f"  {line}" for line in champion_files.publish(site, version.number, model, message))


def main(argv: Sequence[str] | None = None) -> int:
    """Return the exit code: 0 done, 1 a gate failed and the champion stays, 2 it could not be tried or finished."""
    parser = argparse.ArgumentParser(prog="python -m versions.promote", description=__doc__)
    parser.add_argument("--version", help="number of a registered version; default: the challenger")
    arguments = parser.parse_args(argv)
    return exit_code_of("promote", working_on_site("promote")(lambda: promote(Path.cwd(), arguments.version or None)))
