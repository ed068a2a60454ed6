"""The painted site of `sandbox.tiny`, with its scenes in a STAC catalogue on the local server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sandbox import tiny
from sandbox.stac_server import Server


def params(server: Server, profile: str, years: list[int], **stac: Any) -> dict[str, Any]:
    """Return params.yaml of the site with this catalogue as its source."""
    content = tiny.params(Path("source"), years)
    content["ingest"] |= {
        "source": "stac",
        "stac": {"profile": profile, "url": server.api, "private_addresses": True, **stac},
        "season": {"first": "09-20", "last": "11-10"},
    }
    del content["ingest"]["raster"]
    content["prepare"] = {"bands": ["B02", "B03", "B04", "B11"], "storage": "sentinel2"}
    content["report"] = {"rgb": ["B04", "B03", "B02"]}
    return content


def make_site(folder: Path, content: dict[str, Any]) -> None:
    """Write outlines and params.yaml into a site's folder."""
    tiny.write_outlines(folder / "source/outlines.gpkg")
    tiny.write_params(folder, content)
