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


def scripts() -> list[str]:
    """Return the texts of the page's scripts in their order."""
    leaflet = SOURCE_MAP.sub("", (VENDORED / "leaflet.js").read_text(encoding="utf-8")).strip()
    own = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in ("chart.js", "map.js", "page.js"))
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
