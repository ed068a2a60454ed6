"""Where each year's pixels come from."""

from __future__ import annotations

from typing import Any

from stages.common.tables.prepare import SceneSource
from stages.report.findings import Findings
from stages.report.numbers import percent_number

OFFSET_DOUBTS = {
    "left in": "the pixels say that the offset is left in",
    "subtracted twice": "the pixels say that it is subtracted twice",
    "unlike its baseline": "it contradicts the baseline",
}
"""By the verdict of the check, which only scenes in prepare.trusted_offsets pass with."""


def provenance_rows(findings: Findings) -> list[dict[str, Any]]:
    """Return one row per year: its scene, its valid share, and the acquisitions it was made of."""
    return [
        {
            "year": year,
            "record": provenance,
            "valid": percent_number(provenance.valid_fraction),
            "cloud": percent_number(provenance.cloud_fraction),
            "outside": percent_number(provenance.outside_fraction),
            "sources": [
                {
                    "record": source,
                    "filled": percent_number(source.filled_fraction),
                    "sun": sun_text(source),
                    "offset_doubt": offset_doubt(source),
                }
                for source in provenance.sources
            ],
        }
        for year, provenance in sorted(findings.provenance.items())
    ]


def sun_text(source: SceneSource) -> str | None:
    """Write elevation and azimuth of the sun, to a tenth of a degree; None where neither is known."""
    angles = (source.sun_elevation_deg, source.sun_azimuth_deg)
    if angles == (None, None):
        return None
    return " / ".join("–" if angle is None else f"{angle:.1f}°" for angle in angles)


def offset_doubt(source: SceneSource) -> str | None:
    """Say what speaks against the offset of a scene that an expert answers for; None where nothing does."""
    return OFFSET_DOUBTS.get(source.offset_proof.verdict) if source.offset_proof else None
