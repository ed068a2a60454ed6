"""Documents that are made from the code are current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_contracts_are_those_of_the_stages(tmp_path: Path) -> None:
    made = tmp_path / "contracts.md"
    subprocess.run([sys.executable, ROOT / "bin/contracts", made], check=True)
    assert (ROOT / "docs/contracts.md").read_text() == made.read_text(), "run `make docs`"
    text = made.read_text()
    for name in (path.parent.name for path in (ROOT / "stages").glob("*/contract.py")):
        assert f"\n## {name}\n" in text
