"""Scripts and styles of the page: our own, and Leaflet, which stands unchanged in `stages/report/vendored`."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
VENDORED = Path(__file__).parents[1] / "vendored"

REFERENCE = re.compile(r"[\w-]+:\s*url\([^)]*\);?")
"""Declarations that load a picture; the page uses none of the controls that show them."""
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def scripts(page: Path = TEMPLATES / "page.js") -> list[str]:
    """Return the texts of the scripts of a page with map and chart in their order; `page` is its own one."""
    leaflet = SOURCE_MAP.sub("", (VENDORED / "leaflet.js").read_text(encoding="utf-8")).strip()
    own = "".join(path.read_text(encoding="utf-8") for path in (TEMPLATES / "chart.js", TEMPLATES / "map.js", page))
    return [leaflet, own]


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
