"""The tools that `bin/formats` installs, in their own environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

PYTHON = Path(__file__).resolve().parents[2] / ".venv-formats/bin/python"


def run(code: str, *arguments: object) -> str:
    """Run Python code with the tools and return what it prints; it must succeed, and it reaches no network."""
    assert PYTHON.exists(), "run bin/formats"
    result = subprocess.run(
        [str(PYTHON), "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


def check_data_package(path: Path) -> None:
    """Validate a Data Package, every row of it, by frictionless."""
    run(
        "import sys, frictionless; report = frictionless.validate(sys.argv[1]); "
        "sys.exit(0 if report.valid else str(report.flatten(['rowNumber', 'fieldName', 'message'])[:5]))",
        path,
    )
