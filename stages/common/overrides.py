"""Letting a failed gate pass on an expert's word, which is never silent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stages.common.params_area import GateName
from stages.common.tables_area import GateFinding


def let_pass(findings: Iterable[GateFinding], override: Sequence[GateName]) -> list[GateFinding]:
    """The findings; a failed one that `override` names passes and is marked as overridden, its message kept."""
    return [
        finding.model_copy(update={"passed": True, "overridden": True})
        if not finding.passed and finding.gate in override
        else finding
        for finding in findings
    ]
