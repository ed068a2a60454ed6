"""`versions` knows what stages share, and of a single stage only what it runs or reads."""

from __future__ import annotations

import ast
from pathlib import Path

from sandbox import tiny

ALLOWED = {
    "versions/across_sites/scoring.py": {
        "stages.area.year.truth", "stages.evaluate.contract", "stages.evaluate.scene", "stages.evaluate.scores",
        "stages.predict.contract", "stages.predict.predict",
    },
    "versions/starting_model/twins.py": {
        "stages.ingest.ingest", "stages.labels.contract", "stages.labels.label", "stages.patches.contract",
        "stages.patches.cut", "stages.prepare.contract", "stages.prepare.prepare",
    },
    "versions/tools/scratch.py": {"stages.area.contract", "stages.evaluate.contract", "stages.predict.contract"},
    "versions/crossval.py": {"stages.evaluate.crossval_contract"},
    "versions/crossval_runs.py": {"stages.track"},
    "versions/move_runs.py": {"stages.track.store"},
    "versions/registry/lock.py": {"stages.track.store"},
    "versions/registry/open.py": {"stages.track"},
    "versions/registry/registered.py": {"stages.track.store"},
    "versions/registry/registry.py": {"stages.track.store"},
    "versions/promote/evidence.py": {"stages.track.provenance"},
}  # fmt: skip
"""Contracts of the stages that it runs, the store and the tags that `track` writes."""


def stage_imports(path: Path) -> set[str]:
    """Return the modules of single stages that a file imports."""
    modules = {
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    return {name for name in modules if name.startswith("stages.") and not name.startswith("stages.common")}


def test_versions_imports_of_a_stage_only_what_is_listed() -> None:
    paths = sorted((tiny.ROOT / "versions").rglob("*.py"))
    imports = {str(path.relative_to(tiny.ROOT)): stage_imports(path) for path in paths}
    assert {path: modules for path, modules in imports.items() if modules} == ALLOWED
