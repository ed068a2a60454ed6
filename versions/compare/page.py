"""compare.html: one file with everything in it, in the style of the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from stages.common.display.numbers import number_text, signed_text
from stages.common.display.phrases import SIMULATED
from stages.common.drawing.pages import data_uri, page_templates
from versions.compare.tables import VersionComparison

TEMPLATES = Path(__file__).parent / "templates"

TONES = {"B is better": "good", "B is worse": "bad"}


def comparison_page(comparison: VersionComparison, pictures: Mapping[str, bytes]) -> str:
    """Return the page as HTML, its pictures embedded."""
    environment = page_templates(TEMPLATES)
    environment.filters |= {"plain": number_text, "signed": signed_text}
    return environment.get_template("compare.html").render(
        c=comparison,
        simulated=SIMULATED,
        tone=TONES.get(comparison.judgement.verdict, ""),
        metrics=[row for row in comparison.metrics if row.difference != 0],
        pictures={name: data_uri(name, content) for name, content in pictures.items()},
    )
