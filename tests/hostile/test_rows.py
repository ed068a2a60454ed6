"""The tests that docs/hostile.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs/hostile.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.partition("## What was found")[2].splitlines() if line.startswith("| ")][1:]
NAMED = [
    (path, name)
    for row in ROWS
    for path, names in re.findall(r"`(tests/[\w/]+\.py)`: ((?:`[\w-]+`(?:, )?)+)", row)
    for name in re.findall(r"`([\w-]+)`", names)
]


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 30
    assert [row for row in ROWS if "`tests/" not in row] == []


def test_the_named_tests_are_there() -> None:
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path, _ in NAMED}
    absent = [
        (path, name) for path, name in NAMED if f"def {name}(" not in texts[path] and f'"{name}"' not in texts[path]
    ]
    assert absent == []
