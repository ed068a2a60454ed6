"""params.yaml as text: every value on a line of its own, with the reason for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

PLAIN = re.compile(r"[A-Za-z/.][\w./:-]*( [\w./-]+)*")
"""Texts that need no quotes, unless YAML takes them for something else than text."""


@dataclass(frozen=True)
class Line:
    """A value and why it is this one; without a reason it needs none."""

    value: Any
    why: str = ""


Section = Mapping[str, "Line | Section | Sequence[Section]"]


def yaml_text(section: Section) -> str:
    """Return the sections as YAML, an empty line between those of the top."""
    parts = ["\n".join(_lines({key: entry}, "")) for key, entry in section.items()]
    return "\n\n".join(parts) + "\n"


def values(section: Section) -> dict[str, Any]:
    """Return the values alone, as a parser of `yaml_text` does."""
    return {
        key: entry.value
        if isinstance(entry, Line)
        else values(entry)
        if isinstance(entry, Mapping)
        else [values(item) for item in entry]
        for key, entry in section.items()
    }


def _lines(section: Section, indent: str) -> Iterator[str]:
    for key, entry in section.items():
        if isinstance(entry, Line):
            yield f"{indent}{key}: {_flow(entry.value)}" + (f"  # {' '.join(entry.why.split())}" if entry.why else "")
        elif isinstance(entry, Mapping):
            yield f"{indent}{key}:" if entry else f"{indent}{key}: {{}}"
            yield from _lines(entry, f"{indent}  ")
        else:
            yield f"{indent}{key}:"
            for item in entry:
                first, *rest = _lines(item, f"{indent}    ")
                yield f"{indent}  - {first.strip()}"
                yield from rest


def _flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str) and PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)
