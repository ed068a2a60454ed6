"""Scripts and styles of a page with a map: our own, and Leaflet, which stands unchanged in `vendored`."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.common.drawing.pages import page_templates
from stages.common.web_map.document import as_script_text

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
VENDORED = Path(__file__).parent / "vendored"

CHART, MAP, PAGE = "chart.js", "map.js", "page.js"
"""Scripts of a page: its charts, its map, and what its pictures and tables answer to."""

REFERENCE = re.compile(r"[\w-]+:\s*url\([^)]*\);?")
"""Declarations that load a picture; the page uses none of the controls that show them."""
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def map_templates(folder: Path) -> Environment:
    """Return the Jinja environment of the templates in `folder`, of those with a map, and of those of every page."""
    return page_templates(folder, TEMPLATES)


def script_content(
    environment: Environment, document: Mapping[str, Any], own: tuple[str, ...] = (CHART, MAP, PAGE)
) -> dict[str, Any]:
    """Return what `map_page.html` needs: Leaflet, the scripts `own` in their order, and the document that they read."""
    leaflet = SOURCE_MAP.sub("", (VENDORED / "leaflet.js").read_text(encoding="utf-8")).strip()
    texts = [leaflet, "".join(environment.get_template(name).render() for name in own)]
    return {
        "map": document,
        "map_data": as_script_text(document),
        "scripts": texts,
        "policy": policy(texts),
        "leaflet_style": leaflet_style(),
        "leaflet_licence": leaflet_licence(),
    }


def leaflet_style() -> str:
    """Return Leaflet's style sheet without its comments and without what it would load."""
    return REFERENCE.sub("", COMMENT.sub("", (VENDORED / "leaflet.css").read_text(encoding="utf-8")))


def leaflet_licence() -> str:
    """Return the licence, which a copy of Leaflet must carry."""
    return (VENDORED / "leaflet-LICENSE").read_text(encoding="utf-8").strip()


def policy(texts: list[str]) -> str:
    """Return the page's content security policy: nothing is fetched, and these scripts alone may run."""
    hashes = [b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") for text in texts]
    sources = " ".join(f"'sha256-{each}'" for each in hashes)
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {sources}"
