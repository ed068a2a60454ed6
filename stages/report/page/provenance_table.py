"""Where each year's pixels come from."""

from __future__ import annotations

from typing import Any

from stages.common.tables.prepare import SceneSource
from stages.report.findings import Findings
from stages.report.numbers import percent


def provenance_rows(findings: Findings) -> list[dict[str, Any]]:
    """Where each year's pixels come from."""
    return [
        {
            "year": year,
            "record": one,
            "valid": percent(one.valid_fraction),
            "cloud": percent(one.cloud_fraction),
            "outside": percent(one.outside_fraction),
            "sources": [
                {"record": source, "filled": percent(source.filled_fraction), "sun": sun_text(source)}
                for source in one.sources
            ],
        }
        for year, one in sorted(findings.provenance.items())
    ]


def sun_text(source: SceneSource) -> str | None:
    """Elevation and azimuth of the sun, to a tenth of a degree."""
    angles = (source.sun_elevation_deg, source.sun_azimuth_deg)
    if angles == (None, None):
        return None
    return " / ".join("–" if angle is None else f"{angle:.1f}°" for angle in angles)
