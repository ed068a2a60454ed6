"""Phrases that stand on every picture and page."""

from __future__ import annotations

SIMULATED = "SIMULATED DATA: NOT A MEASUREMENT"
"""Mark of every picture and page of a site with ``site.simulated``."""

INTERVAL = "± half of the 68 % interval"
"""Meaning of the ± behind an area."""
