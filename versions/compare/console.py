"""A comparison as text."""

from __future__ import annotations

from stages.common.display.numbers import number_text, signed_text
from stages.common.display.phrases import IMAGES_ALONE, SIMULATED
from versions.compare.difference import mixed_products
from versions.compare.tables import VersionComparison
from versions.tools.text import aligned_table

MOST_ROWS = 12
HEADLINES = (
    "evaluate/model/iou", "evaluate/model/area_bias_pct", "evaluate/expected_calibration_error", "train/val_iou",
    "area/change/slope_km2_per_year", "area/slope_km2_per_year", "area/mean_sigma_km2", "area/truth/iou",
    "area/truth/mean_absolute_error_pct",
)  # fmt: skip
"""Metrics that the console shows; the page has all."""


def comparison_text(comparison: VersionComparison) -> str:
    """Return the whole comparison in short."""
    mark = f": {SIMULATED}" if comparison.simulated else ""
    parts = [
        f"{comparison.title}{mark}",
        "\n".join(
            f"  {letter}  {side.name} ({side.kind}{', ' + side.commit[:7] if side.commit else ''}); {side.maps}"
            for letter, side in (("A", comparison.a), ("B", comparison.b))
        ),
        _params(comparison),
        _metrics(comparison),
        _areas(comparison),
        _glaciers(comparison),
        _judgement(comparison),
    ]
    return "\n\n".join(part for part in parts if part)


def omitted_rows(count: int) -> str:
    """Return a line that says how many rows the console leaves out; empty where it shows all."""
    return f"\n  ... and {count} more" if count > 0 else ""


def _params(comparison: VersionComparison) -> str:
    rows = [(row.name, _short(row.a), _short(row.b)) for row in comparison.params]
    if not rows:
        return "  parameters: all the same"
    return aligned_table(("parameter", "A", "B"), rows[:MOST_ROWS], left=3) + omitted_rows(len(rows) - MOST_ROWS)


def _short(value: str | None) -> str:
    return "–" if value is None else value if len(value) <= 40 else f"{value[:37]}..."


def _metrics(comparison: VersionComparison) -> str:
    metrics = {row.name: row for row in comparison.metrics}
    rows = [
        (name, number_text(row.a, 3), number_text(row.b, 3), signed_text(row.difference, 3))
        for name in HEADLINES
        if (row := metrics.get(name))
    ]
    note = mixed_products(comparison.a.product, comparison.b.product)
    table = aligned_table(("metric, as recorded", "A", "B", "B - A"), rows) if rows else ""
    return f"{table}\n  {note}" if table and note else table


def _areas(comparison: VersionComparison) -> str:
    rows = [
        (
            str(row.year), number_text(row.a_km2, 2), _interval(row.a_low_km2, row.a_high_km2),
            number_text(row.b_km2, 2), _interval(row.b_low_km2, row.b_high_km2), signed_text(row.difference_km2, 2),
            number_text(row.dispute_km2, 2),
        )
        for row in comparison.areas
    ]  # fmt: skip
    table = aligned_table(("year", "A km²", "interval", "B km²", "interval", "B - A", "in dispute"), rows)
    return f"{table}\n  areas of both: {comparison.product_in_words}; in dispute: {IMAGES_ALONE}"


def _interval(low: float, high: float) -> str:
    return f"{number_text(low, 2)} to {number_text(high, 2)}"


def _glaciers(comparison: VersionComparison) -> str:
    rows = [
        (
            f"{row.rgi_id}{' ' + row.glac_name if row.glac_name else ''}", number_text(row.a_km2, 2),
            number_text(row.b_km2, 2), signed_text(row.difference_km2, 2), signed_text(row.mean_difference_km2, 2),
        )
        for row in comparison.glaciers
        if row.difference_km2 or row.mean_difference_km2
    ]  # fmt: skip
    if not rows:
        return "  glaciers: all the same"
    head = ("glacier, last year", "A km²", "B km²", "B - A", "mean of years")
    return aligned_table(head, rows[:MOST_ROWS]) + omitted_rows(len(rows) - MOST_ROWS)


def _judgement(comparison: VersionComparison) -> str:
    judgement = comparison.judgement
    lines = [f"  Verdict   {judgement.statement}"]
    if comparison.same_model:
        lines.append("            both are the same model, byte for byte")
    if count := judgement.left_out:
        lines.append(f"            {count} test blocks left out: one of the versions has learned from them")
    lines.append(
        f"  Maps      {100 * comparison.mean_dispute_fraction:.1f} % of the ice is in dispute, all years together"
    )
    return "\n".join(lines)
