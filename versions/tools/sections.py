"""Sections of params.yaml that DVC reads by itself: a default in the schema is none for DVC."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from stages.common.errors import ParamsError
from stages.common.yaml_text import load_yaml

DEFAULTS = {"predict.model": "predict: {model: artifacts/train/model.onnx}"}
"""Keys that need more than an empty section, and the line that states the default."""


def require_sections(params: Path = Path("params.yaml"), pipeline: Path = Path("dvc.yaml")) -> None:
    """Refuse a params.yaml without a section that dvc.yaml names, though the schema has defaults for all of it.

    Raises
    ------
    ParamsError
        One is missing; the message has the lines to add.
    """
    if not pipeline.is_file():  # DVC itself names what is wrong with it
        return
    content, text = (
        load_yaml(params.read_text(encoding="utf-8")),
        pipeline.read_text(encoding="utf-8", errors="replace"),
    )
    watched = {
        name for names in re.findall(r"^ +params: \[([a-z_, ]*)\]", text, re.MULTILINE) for name in names.split(", ")
    }
    filled_in = {key for key in re.findall(r"\$\{([a-z_.]+)[\[}]?", text) if not key.startswith("item.")}
    if missing := sorted(key for key in watched | filled_in if _value(content, key) is None):
        keys = [key for key in missing if key.split(".")[0] not in {*missing} - {key} or key in DEFAULTS]
        raise ParamsError(
            "params.yaml lacks what DVC reads in it by itself",
            where=params.resolve(),
            expected="each section that dvc.yaml names, if only as an empty one",
            found=f"no {', '.join(missing)}",
            fix="add the line(s): " + "; ".join(f"`{DEFAULTS.get(key, f'{key}: {{}}')}`" for key in _whole(keys)),
        )


def _whole(keys: list[str]) -> list[str]:
    """Return the keys without sections that another of their lines makes."""
    whole = {key.split(".")[0] for key in keys if key in DEFAULTS}
    return [key for key in keys if key not in whole]


def _value(content: Any, key: str) -> Any:
    for part in key.split("."):
        content = content.get(part) if isinstance(content, dict) else None
    return content
