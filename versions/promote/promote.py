"""``make promote``: judge a registered version beside the champion, and make it champion if every gate passes.

The gates look at the same frozen test blocks for both. What they found is stored with the version, passed or not.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from stages.common.errors import GateError
from stages.common.gates import findings_table
from stages.common.params.schema import Params, load_params
from stages.common.tables.area import GateFinding
from versions.promote.gates import as_markdown, judge
from versions.promote.judging import evidence, get_inputs, same_model, sanity_of
from versions.promote.logged import challenger
from versions.registry import champion
from versions.registry.entry import opened, run
from versions.registry.registry import Registry

VERDICT_TAG = "promotion"
"""Tag of a version: passed or refused; ``promotion.<gate>`` holds what a gate found."""
TAG_LIMIT = 5000
"""MLflow's limit for a tag's value."""


@dataclass(frozen=True)
class Verdict:
    """What the gates found of a version."""

    number: str
    champion: str | None
    findings: list[GateFinding]

    @property
    def passed(self) -> bool:
        """Whether it may become champion."""
        return all(one.passed for one in self.findings)

    @property
    def against(self) -> str:
        """Whom it was compared with."""
        return "no champion yet" if self.champion is None else f"champion: version {self.champion}"


def assess(registry: Registry, number: str, site: Path, params: Params) -> Verdict:
    """Judge a version; nothing is changed."""
    reigning = registry.champion
    get_inputs(site, params)
    with TemporaryDirectory(prefix="glacier-") as name:
        folder = Path(name)
        other = None
        if reigning is not None and not same_model(registry, number, reigning, folder):
            other = evidence(registry, reigning, site, params, folder)
        found = evidence(registry, number, site, params, folder)
        found = replace(found, sanity=sanity_of(registry, number, site, params, folder))
        return Verdict(number, reigning, judge(found, other, params.promote))


def promote(site: Path, number: str | None) -> str:
    """Judge a version (None: the challenger), store the findings with it, and make it champion if all gates pass.

    Returns
    -------
    str
        What was found and done.

    Raises
    ------
    GateError
        A gate failed; the champion stays.
    InputError
        There is no such version, or someone else changed the champion meanwhile.
    """
    params = load_params(site / "params.yaml")
    with opened(params, "the model registry cannot be used") as registry:
        number = number or challenger(site, registry)
        if number == registry.champion:
            return f"version {number} is the champion already\n" + _hand_over(site, registry, number, params)
        _check_settled(site, registry)
        champion.check_tag(site, number, registry.md5(number))
        verdict = assess(registry, number, site, params)
        store_findings(registry, verdict)
        if not verdict.passed:
            raise refusal(registry, verdict)
        done = _hand_over(site, registry, number, params, lambda: registry.crown(number, instead_of=verdict.champion))
    was = f", in place of version {verdict.champion}" if verdict.champion else ""
    return f"{findings_table(verdict.findings)}\nversion {number} of {registry.name} is champion{was}\n{done}"


def rollback(site: Path) -> str:
    """Make the champion before the present one champion again; what was done.

    Raises
    ------
    InputError
        There was none before, or the last change of champions was not finished.
    """
    params = load_params(site / "params.yaml")
    with opened(params, "the model registry cannot be used") as registry:
        present = registry.champion or registry.no_champion()
        _check_settled(site, registry)
        previous = registry.before(present)
        done = _hand_over(site, registry, previous, params, lambda: registry.step_back(from_=present))
    return f"version {previous} of {registry.name} is champion again, in place of version {present}\n{done}"


def store_findings(registry: Registry, verdict: Verdict) -> None:
    """Put the reasons, passed or failed, into the version's tags and description."""
    tags = {
        tag_of(one.gate): f"{'passed' if one.passed else 'failed'}: {one.message}"[:TAG_LIMIT]
        for one in verdict.findings
    }
    word = "passed" if verdict.passed else "refused"
    title = f"Promotion {word} ({verdict.against})"
    registry.note(verdict.number, {VERDICT_TAG: word, **tags}, f"{title}\n\n{as_markdown(verdict.findings)}")


def tag_of(gate: str) -> str:
    """Name of a gate's tag, of signs that MLflow takes: ``size > 10 km2`` is ``size_over_10_km2``."""
    name = gate.replace("<", "under").replace(">", "over")
    return f"{VERDICT_TAG}.{re.sub(r'[^a-zA-Z0-9_.-]+', '_', name)}"


def refusal(registry: Registry, verdict: Verdict) -> GateError:
    """The error of a version that does not pass."""
    failed = [one for one in verdict.findings if not one.passed]
    return GateError(
        f"version {verdict.number} is refused: {len(failed)} of {len(verdict.findings)} gates failed\n"
        + findings_table(verdict.findings),
        where=f"{registry.name} in {registry.shown}",
        expected=f"a model no worse than the bounds in params.yaml: promote ({verdict.against})",
        found=", ".join(one.gate for one in failed),
        fix="the champion stays; look at the version's page (`make ui`), train another model",
    )


def _check_settled(site: Path, registry: Registry) -> None:
    """Refuse to change hands while the files here name another champion than the registry."""
    if number := registry.champion:
        champion.check_settled(site, number, registry.md5(number))


def _hand_over(
    site: Path, registry: Registry, number: str, params: Params, change: Callable[[], object] = lambda: None
) -> str:
    """Get everything that is needed, `change` the registry, and let the files follow; what was done."""
    md5 = registry.md5(number)
    champion.check_tag(site, number, md5)
    with TemporaryDirectory(prefix="glacier-") as folder:
        model = registry.fetch_model(number, Path(folder))
        change()
        message = f"Champion of {params.site.name}: version {number}\n\nMD5 {md5}"
        return "\n".join(f"  {line}" for line in champion.publish(site, number, model, message))


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 a gate failed and the champion stays, 2 it could not be tried or finished."""
    parser = argparse.ArgumentParser(prog="python -m versions.promote", description=__doc__)
    parser.add_argument("--version", help="number of a registered version; default: the challenger")
    arguments = parser.parse_args(argv)
    return run("promote", lambda: promote(Path.cwd(), arguments.version or None))
