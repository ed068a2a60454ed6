"""index.html: one file that embeds everything it shows and fetches nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.common.display import phrases, rounding
from stages.common.drawing.pages import data_uri
from stages.common.tables.review import glaciers_rejected
from stages.common.web_map.scripts import map_templates, script_content
from stages.report.findings import Findings
from stages.report.numbers import plain_number
from stages.report.page.alternatives import alternative_texts
from stages.report.page.area_table import area_rows, interval_methods, source_rows
from stages.report.page.glacier_table import glacier_table, held_out_rows
from stages.report.page.provenance_table import provenance_rows
from stages.report.page.reconciliation import change_figures
from stages.report.page.score_table import MEANINGS, deviation_in_words, score_rows
from stages.report.page.statistics_content import statistics_content
from stages.report.page.summary import cards, sentence
from stages.report.page.truth_table import truth_section
from stages.report.pictures import curves

TEMPLATES = Path(__file__).parent / "templates"
PER_CENT = re.compile(r"(?<=\d)%")


def render_page(findings: Findings, pictures: Mapping[str, bytes], document: Mapping[str, Any]) -> str:
    """Return the page as HTML, its pictures and the map's document embedded."""
    environment = map_templates(TEMPLATES)
    environment.filters["units"] = with_units
    content = page_content(findings, pictures)
    return environment.get_template("index.html").render(content | script_content(environment, document))


def with_units(text: str) -> str:
    """Return a message of another stage with its units as this page writes them: ``km²``, ``2.5 %``."""
    return PER_CENT.sub(" %", text.replace("km2", "km²"))


def page_content(findings: Findings, pictures: Mapping[str, bytes]) -> dict[str, Any]:
    """Return the values that the template shows."""
    return {
        "site": findings.site,
        "simulated": phrases.SIMULATED,
        "years": findings.years,
        "alt": alternative_texts(findings),
        "pictures": {name: data_uri(name, content) for name, content in pictures.items()},
        "provenance": provenance_rows(findings),
        "grid": findings.provenance[findings.years[0]].grid,
        "card": findings.card,
        "truth": truth_section(findings),
        "reviews": findings.statistics.reviews,
        "rejected_years": findings.rejected_years,
        "rejected_glaciers": glaciers_rejected(findings.statistics.reviews),
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
        "cards": cards(findings),
        "sentence": sentence(findings),
        "change_figures": change_figures(findings),
        "trend": findings.trend,
        "gates": sorted(gates, key=lambda gate: (gate.passed and not gate.overridden, not gate.overridden)),
        "failed": [gate for gate in gates if not gate.passed and not gate.overridden],
        "overridden": [gate for gate in gates if gate.overridden],
        "areas": area_rows(findings),
        "areas_product": phrases.products_of(row.product for row in findings.areas),
        "areas_are_fused": any(row.product == "outlines" for row in findings.areas),
        "sources": source_rows(findings.areas),
        "methods": interval_methods(findings.areas),
        "mean_sigma": plain_number(metrics.mean_sigma_km2, rounding.decimals_of(findings.areas)),
        "speckle": plain_number(metrics.speckle_removed_km2, rounding.DECIMALS_WITHOUT_SIGMA),
        "glaciers": glacier_table(findings.glaciers, findings.years),
        "glaciers_have_intervals": any(row.area_low_km2 is not None for row in findings.glaciers),
    }


def _score_content(findings: Findings) -> dict[str, Any]:
    scores = findings.scores
    charts = {
        "learning_curve": curves.learning_chart(findings),
        "precision_recall": curves.precision_recall_chart(findings),
        "reliability": curves.reliability_chart(findings),
    }
    return {
        "scores": scores,
        "score_rows": score_rows(scores),
        "meanings": MEANINGS,
        "tested": {
            "area": plain_number(scores.test_area_km2, rounding.DECIMALS_WITHOUT_SIGMA),
            "glacier": plain_number(scores.test_glacier_km2, rounding.DECIMALS_WITHOUT_SIGMA),
            "calibration": plain_number(scores.expected_calibration_error, 3),
        },
        "deviation": deviation_in_words(findings.reliability),
        "held_out": held_out_rows(findings.glacier_scores),
        "curves": {name: data_uri(f"{name}.png", content) for name, content in charts.items()},
    }
