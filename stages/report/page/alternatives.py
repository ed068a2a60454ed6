"""Alternative texts: what each picture shows, for readers who cannot see it."""

from __future__ import annotations

from stages.common.display import phrases, rounding
from stages.report.findings import Findings
from stages.report.ground_changes import change_total


def alternative_texts(findings: Findings) -> dict[str, str]:
    """Return the alternative text of each picture by its name."""
    decimals = rounding.decimals_of(findings.areas)
    first, last = findings.areas[0], findings.areas[-1]
    span = f"{first.year}: {rounding.area_text(first, decimals)}"
    if len(findings.areas) > 1:
        span += f"; {last.year}: {rounding.area_text(last, decimals)}"
    mark = f"{phrases.SIMULATED}. " if findings.site.simulated else ""
    product = phrases.products_of(row.product for row in findings.areas)
    truth = ", beside the true area" if findings.truth else ""
    card = findings.card
    texts = {
        "glacier_retreat_graph.png": f"Graph of the glacier area per year ({product}) with bars of the 68 % and "
        f"95 % interval{truth}. {span}.",
        "glacier_retreat_timelapse.gif": f"One frame per year, {first.year} to {last.year}: the scene with the mapped "
        f"outline, the outline of the first year, the year and its area ({product}).",
        "prediction_gallery.png": f"Maps {phrases.IMAGES_ALONE}. For each year shown: scene, prior and mapped "
        "outlines, glacier probability, and where the map differs from the prior outlines.",
        "change_map.png": change_text(findings),
        "change_product": f"Ice within the change domain per year, {phrases.IMAGES_ALONE}, with the line through it.",
        "surface": f"Stacked bars of clean and debris-covered ice per year ({product}).",
        "fronts": f"Retreat of the ice fronts of the largest glaciers by year, {phrases.IMAGES_ALONE}, with bars of "
        "one standard deviation.",
        "learning_curve": f"IoU by epoch; validation IoU {card.val_iou:.2f} at epoch {card.best_epoch}, whose weights "
        "were kept.",
        "precision_recall": f"Precision against recall; the threshold in use is {card.threshold:g}.",
        "reliability": "Predicted probability against the observed share of glacier, beside the diagonal; expected "
        f"calibration error {findings.scores.expected_calibration_error:.3f}.",
    }
    return {name: mark + text for name, text in texts.items()}


def change_text(findings: Findings) -> str:
    """Describe the change map with its sums."""
    rows = findings.statistics.last_changes
    total = change_total(rows)
    if total is None:
        return f"Map of ground lost and gained by ice, {phrases.IMAGES_ALONE}."
    return (
        f"Map of ground lost and gained by ice from {rows[0].from_year} to {rows[0].year}, {phrases.IMAGES_ALONE}: "
        f"{total.lost.text} km² lost, {total.gained.text} km² gained."
    )
