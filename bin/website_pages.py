"""Hooks of MkDocs: documents of the root become pages, and links between root and docs/ lead to pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[1]
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
LINK = re.compile(r"\[([^\]]*)\]\(((?:\.\./|docs/)?[\w./-]+)(#[\w-]+)?\)")
"""A link to a file, with its text, its path and its anchor."""


def on_files(files: Any, config: Any) -> Any:
    """Add the documents of the root."""
    for name, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return a page whose links lead to pages of the site; a link to any other file of the repository becomes text."""
    return LINK.sub(lambda match: link(*match.groups(default="")), markdown)


def link(text: str, path: str, anchor: str) -> str:
    """Return a link within the site, or its text alone; MkDocs refuses one that leads nowhere."""
    name = path.removeprefix("../").removeprefix("docs/")
    if (ROOT / name).exists() and name not in PAGES and not (ROOT / "docs" / name).exists():
        return text
    return f"[{text}]({PAGES.get(name, name)}{anchor})"
