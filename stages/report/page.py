"""index.html: one file with everything in it, no script, no network, no clock."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.common.tables import SceneSource
from stages.report import curves, rounding, style
from stages.report.findings import Findings
from stages.report.glacier_table import NO_GLACIER, glacier_table, held_out_rows
from stages.report.numbers import Number, number, percent
from stages.report.score_table import MEANINGS, score_rows
from stages.report.truth_table import against_truth

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
        "simulated": style.SIMULATED,
        "interval": style.INTERVAL,
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
        **_score_content(findings),
    }


def _area_content(findings: Findings) -> dict[str, Any]:
    metrics = findings.area_metrics
    return {
        "headline": headline(findings),
        "trend": findings.trend,
        "findings": findings.gates.findings,
        "failed": [one for one in findings.gates.findings if not one.passed],
        "areas": area_rows(findings),
        "mean_sigma": _area(findings, metrics.mean_sigma_km2),
        "speckle": number(metrics.speckle_removed_km2, rounding.DECIMALS_WITHOUT_SIGMA),
        "glaciers": glacier_table(findings.glaciers, findings.years),
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


def area_rows(findings: Findings) -> list[dict[str, Any]]:
    """The area table, row by row, rounded as the intervals support."""
    rows = []
    for row in findings.areas:
        common = None if row.common_area_km2 is None else _area(findings, row.common_area_km2)
        rows.append(
            {
                "year": row.year,
                "date": row.date,
                "area": _area(findings, row.glacier_area_km2),
                "sigma": _area(findings, rounding.sigma_km2(row)),
                "low": _area(findings, row.area_low_km2),
                "high": _area(findings, row.area_high_km2),
                "common": common,
                "valid": percent(row.valid_fraction),
                "unseen": _area(findings, row.unseen_km2),
                "scenes": row.scene_ids.replace(";", "; "),
            }
        )
    return rows


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


def alternative_texts(findings: Findings) -> dict[str, str]:
    """What each picture shows, for those who do not see it."""
    decimals = rounding.decimals_of(findings.areas)
    first, last = findings.areas[0], findings.areas[-1]
    span = f"{first.year}: {rounding.area_text(first, decimals)}"
    if len(findings.areas) > 1:
        span += f"; {last.year}: {rounding.area_text(last, decimals)}"
    mark = f"{style.SIMULATED}. " if findings.site.simulated else ""
    beside = ", beside the true area" if findings.truth else ""
    best = findings.card
    texts = {
        "glacier_retreat_graph.png": f"Graph of glacier area per year with one-sigma bars{beside}. {span}.",
        "glacier_retreat_timelapse.gif": f"One frame a year, {first.year} to {last.year}: the scene with the mapped "
        "outline, the outline of the first year, the year and its area.",
        "prediction_gallery.png": "For each year shown: scene, prior and mapped outlines, glacier probability, and "
        "where the map differs from the prior outlines.",
        "learning_curve": f"IoU by epoch; validation IoU {best.val_iou:.2f} at epoch {best.best_epoch}, whose weights "
        "were kept.",
        "precision_recall": f"Precision against recall; the threshold in use is {best.threshold:g}.",
        "reliability": "Predicted probability against the observed share of glacier, beside the diagonal; expected "
        f"calibration error {findings.scores.expected_calibration_error:.3f}.",
    }
    return {name: mark + text for name, text in texts.items()}


def data_uri(name: str, content: bytes) -> str:
    """A picture as part of the page."""
    kind = {".png": "image/png", ".gif": "image/gif"}[Path(name).suffix]
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"


def _area(findings: Findings, value: float) -> Number:
    return number(value, rounding.decimals_of(findings.areas))
