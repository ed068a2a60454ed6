"""Phrases that stand on every picture and page."""

from __future__ import annotations

SIMULATED = "SIMULATED DATA: NOT A MEASUREMENT"
"""Mark of every picture and page of a site with ``site.simulated``."""

INTERVAL = "± is one standard deviation"
"""Meaning of the ± after an area."""

NEAR_NO_OUTLINE = "near no outline"
"""Name of the ice that belongs to no glacier of the inventory."""
