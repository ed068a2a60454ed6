"""Decide whether the run fails: findings in, exit code out."""

from __future__ import annotations

from stages.common.errors import GateError
from stages.common.gates import all_findings, findings_table
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.tables.area import Gates
from stages.common.tables.evaluate import EvaluateMetrics
from stages.gate import contract


def decide(run: Run) -> None:
    """Print the finding of every gate, and fail if a gate failed.

    Raises
    ------
    GateError
        A gate failed.
    """
    gates = read_document(run.path(contract.GATES), Gates)
    scores = read_document(run.path(contract.SCORES), EvaluateMetrics)
    findings = all_findings(gates, scores, run.params.gates)
    print(findings_table(findings))
    if idle := sorted(set(run.params.gates.override) - {finding.gate for finding in findings if finding.overridden}):
        print(
            f"gates.override names {', '.join(idle)}, which did not fail: remove it, or a later failure passes unseen"
        )
    failed = [finding for finding in findings if not finding.passed]
    if failed:
        raise GateError(
            f"{len(failed)} of {len(findings)} gates failed",
            where="artifacts/area/gates.json, metrics/evaluate.json",
            expected="numbers that can be true",
            found="".join(f"\n    {finding.gate}: {finding.message}" for finding in failed),
            fix="look at artifacts/report/index.html; correct scenes, AOI or model before you move a bound "
            "(params.yaml: gates); gates.override there accepts a failure that you can justify",
        )
