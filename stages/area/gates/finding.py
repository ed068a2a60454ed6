"""What the gates share: a finding with its reason, and a ratio that has a value whatever the whole is."""

from __future__ import annotations

import math

from stages.common.tables.area import GateFinding


def finding_of(gate: str, passed: bool, message: str, reason: str) -> GateFinding:
    """Return the finding of a gate; the reason is given where it failed."""
    return GateFinding(gate=gate, passed=passed, message=message if passed else f"{message}: {reason}")


def ratio_of(part: float, whole: float) -> float:
    """Return part / whole; where the whole is 0, any part is infinitely much."""
    if whole > 0:
        return part / whole
    return 0.0 if part == 0 else math.copysign(math.inf, part)
