"""``data.dvc``: the list of outputs that DVC pins. DVC adds the hashes (`dvc commit`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from stages.common.run.documents import pinned_outputs
from stages.common.run.replace import replace_file

PIN = Path("data.dvc")


def pinned_paths(years: Sequence[int]) -> list[str]:
    """Return the outputs in data.dvc: one per year, so that a new year changes no other line."""
    return [
        *(f"data/scenes/{year}" for year in years),
        "data/outlines.gpkg",
        "data/aoi.gpkg",
        "data/auxiliary",
        "data/truth",
        "data/catalog.json",
        "data/scene_choice.csv",
    ]


def write_pin(years: Sequence[int], path: Path = PIN) -> bool:
    """Write the list of outputs, and return whether it changed.

    Entries that stay keep their hashes, so that the committed pin can still be compared with the new data.
    """
    old = _entries(path)
    paths = pinned_paths(years)
    if list(old) == paths:
        return False
    outs = [old.get(name, {"hash": "md5", "path": name}) for name in paths]
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(yaml.safe_dump({"outs": outs}, sort_keys=False), encoding="utf-8")
    replace_file(draft, path)
    return True


def _entries(path: Path) -> dict[str, dict[str, Any]]:
    return {entry["path"]: entry for entry in pinned_outputs(path)}
