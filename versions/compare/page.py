"""compare.html: one file with everything in it, in the style of the report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stages.common.display.numbers import number_text, signed_text
from stages.common.display.phrases import IMAGES_ALONE, SIMULATED
from stages.common.drawing.pages import data_uri
from stages.common.web_map.scripts import CHART, PAGE, map_templates, script_content
from versions.compare.difference import mixed_products
from versions.compare.tables import VersionComparison

TEMPLATES = Path(__file__).parent / "templates"

TONES = {"B is better": "good", "B is worse": "bad"}


def comparison_page(comparison: VersionComparison, pictures: Mapping[str, bytes], document: Mapping[str, Any]) -> str:
    """Return the page as HTML, its pictures and what its map shows embedded."""
    environment = map_templates(TEMPLATES)
    environment.filters |= {"plain": number_text, "signed": signed_text}
    return environment.get_template("compare.html").render(
        c=comparison,
        site={"title": comparison.title, "simulated": comparison.simulated},
        simulated=SIMULATED,
        tone=TONES.get(comparison.judgement.verdict, ""),
        metrics=[row for row in comparison.metrics if row.difference != 0],
        mixed_products=mixed_products(comparison.a.product, comparison.b.product),
        images_alone=IMAGES_ALONE,
        pictures={name: data_uri(name, content) for name, content in pictures.items()},
        **script_content(environment, document, (CHART, "compare_map.js", PAGE)),
    )
