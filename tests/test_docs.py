"""Documents that are made from the code are current."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_contracts_and_parameters_are_those_of_the_code(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "bin/contracts", tmp_path], check=True)
    for name in ("contracts.md", "parameters.md"):
        assert (ROOT / "docs" / name).read_text() == (tmp_path / name).read_text(), "run `make docs`"
    text = (tmp_path / "contracts.md").read_text()
    for name in (path.parent.name for path in (ROOT / "stages").glob("*/contract.py")):
        assert f"\n## {name}\n" in text
    parameters = (tmp_path / "parameters.md").read_text()
    for line in ("| `epochs` | integer, >= 1 | `16` |", "## GatesParams", "| [TrainParams](#trainparams) | its own |"):
        assert line in parameters
