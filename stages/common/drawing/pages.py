"""Parts of a page that is one file: its templates, and pictures embedded in it."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

TEMPLATES = Path(__file__).parent / "templates"
"""Style and macros that every page shares."""


def page_templates(*folders: Path) -> Environment:
    """Return the Jinja environment of the templates in `folders`, which can include those that all pages share.

    All values are escaped, and a value that is missing is an error.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader([*folders, TEMPLATES]), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


def data_uri(name: str, content: bytes) -> str:
    """Encode a picture as a data URI, which is part of the page."""
    kind = {".png": "image/png", ".gif": "image/gif"}[Path(name).suffix]
    return f"data:{kind};base64,{b64encode(content).decode('ascii')}"
