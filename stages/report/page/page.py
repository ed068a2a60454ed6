"""index.html: one file with everything in it, no script, no network, no clock."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.common.display import phrases
from stages.report import rounding
from stages.report.findings import Findings
from stages.report.numbers import number
from stages.report.page.alternatives import alternative_texts
from stages.report.page.area_table import area_rows, interval_methods, source_rows
from stages.report.page.glacier_table import NO_GLACIER, glacier_table, held_out_rows
from stages.report.page.provenance_table import provenance_rows
from stages.report.page.score_table import MEANINGS, score_rows
from stages.report.page.statistics_content import statistics_content
from stages.report.page.truth_table import against_truth
from stages.report.pictures import curves

TEMPLATES = Path(__file__).parent / "templates"


def draw_page(findings: Findings, pictures: Mapping[str, bytes]) -> str:
    """The page, its pictures embedded."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("index.html").render(page_content(findings, pictures))


def page_content(findings: Findings, pictures: Mapping[str, bytes]) -> dict[str, Any]:
    """What the template shows."""
    return {
        "site": findings.site,
        "simulated": phrases.SIMULATED,
        "interval": phrases.INTERVAL,
        "years": findings.years,
        "alt": alternative_texts(findings),
        "pictures": {name: data_uri(name, content) for name, content in pictures.items()},
        "provenance": provenance_rows(findings),
        "grid": findings.provenance[findings.years[0]].grid,
        "card": findings.card,
        "against": against_truth(findings),
        "maps_by_this_model": findings.maps_by_this_model,
        "model_md5s": sorted({row.model_md5 for row in findings.areas}),
        **_area_content(findings),
        **statistics_content(findings, data_uri),
        **_score_content(findings),
    }


def _area_content(findings: Findings) -> dict[str, Any]:
    gates = findings.gates
    metrics = findings.area_metrics
    return {
        "headline": headline(findings),
        "trend": findings.trend,
        "findings": sorted(gates, key=lambda one: (one.passed and not one.overridden, not one.overridden)),
        "failed": [one for one in gates if not one.passed and not one.overridden],
        "overridden": [one for one in gates if one.overridden],
        "areas": area_rows(findings),
        "sources": source_rows(findings.areas),
        "methods": interval_methods(findings.areas),
        "mean_sigma": number(metrics.mean_sigma_km2, rounding.decimals_of(findings.areas)),
        "speckle": number(metrics.speckle_removed_km2, rounding.DECIMALS_WITHOUT_SIGMA),
        "glaciers": glacier_table(findings.glaciers, findings.years),
        "glaciers_have_intervals": any(row.area_low_km2 is not None for row in findings.glaciers),
        "no_glacier": NO_GLACIER,
    }


def _score_content(findings: Findings) -> dict[str, Any]:
    scores = findings.scores
    own = {
        "learning_curve": curves.learning_curve(findings),
        "precision_recall": curves.precision_recall(findings),
        "reliability": curves.reliability(findings),
    }
    return {
        "scores": scores,
        "score_rows": score_rows(scores),
        "meanings": MEANINGS,
        "tested": {
            "area": number(scores.test_area_km2, rounding.DECIMALS_WITHOUT_SIGMA),
            "glacier": number(scores.test_glacier_km2, rounding.DECIMALS_WITHOUT_SIGMA),
            "calibration": number(scores.expected_calibration_error, 3),
        },
        "held_out": held_out_rows(findings.glacier_scores),
        "curves": {name: data_uri(f"{name}.png", content) for name, content in own.items()},
    }


def headline(findings: Findings) -> list[tuple[str, str]]:
    """What is said first: the areas of the first and the last year."""
    decimals = rounding.decimals_of(findings.areas)
    ends = [findings.areas[0], findings.areas[-1]] if len(findings.areas) > 1 else findings.areas
    lines = []
    for row in ends:
        note = rounding.unseen_text(row, decimals)
        lines.append((f"Glacier area {row.year}", rounding.area_text(row, decimals) + (f"; {note}" if note else "")))
    return lines


def data_uri(name: str, content: bytes) -> str:
    """A picture as part of the page."""
    kind = {".png": "image/png", ".gif": "image/gif"}[Path(name).suffix]
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
