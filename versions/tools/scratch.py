"""Run a stage beside the working tree: in a scratch site of links, with some files replaced and parameters changed.

Beside it only `versions.across_sites` runs stages, and so no other module imports their contracts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from stages.area.contract import CONTRACT as AREA
from stages.common.errors import InputError
from stages.common.params.schema import load_params
from stages.common.run.contracts import Contract, paths_of
from stages.evaluate.contract import CONTRACT as EVALUATE
from stages.predict.contract import CONTRACT as PREDICT
from versions.tools.commands import run_quietly

CONTRACTS: Mapping[str, Contract] = {contract.stage: contract for contract in (EVALUATE, PREDICT, AREA)}
"""Stages that run in a scratch site."""


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that is removed at the end."""
    with TemporaryDirectory(prefix="glacier-") as name:
        yield Path(name)


@contextmanager
def scratch_site(
    site: Path,
    stages: Sequence[str],
    *,
    replaced: Mapping[str, Path] | None = None,
    changes: Mapping[str, Any] | None = None,
    years: Sequence[int | None] = (None,),
) -> Iterator[Path]:
    """Make a folder in which `stages` can run without touching the site's folder.

    Parameters
    ----------
    site
        Folder with params.yaml and the inputs of the stages.
    replaced
        Path of an input, relative to a site, to the file that replaces it.
    changes
        Dotted parameter, such as ``predict.model``, to its value in the scratch site.
    years
        Years for which per-year stages will run.

    Yields
    ------
    The folder; it is removed at the end.
    """
    with temporary_folder() as folder:
        _write_params(site, folder, changes or {})
        params = load_params(folder / "params.yaml")
        templates = [template for stage in stages for template in CONTRACTS[stage].inputs]
        for template in templates:
            for year in years:
                for path in paths_of(template, params, year).values():
                    _link((replaced or {}).get(str(path), site / path), folder / path)
        yield folder


def run_scratch_stage(folder: Path, stage: str, *arguments: str) -> None:
    """Run a stage in a scratch site.

    Raises
    ------
    InputError
        The stage failed; the error contains its message.
    """
    command = [sys.executable, "-m", f"stages.{stage}", *arguments]
    done = run_quietly(command, folder)
    if done.returncode:
        raise InputError(f"the stage {stage} failed", where=f"stages.{stage}", found=done.stderr.strip()[-2000:])


def _write_params(site: Path, folder: Path, changes: Mapping[str, Any]) -> None:
    content = yaml.safe_load((site / "params.yaml").read_text(encoding="utf-8"))
    for dotted, value in changes.items():
        *sections, key = dotted.split(".")
        part = content
        for section in sections:
            part = part.setdefault(section, {})
        part[key] = value
    (folder / "params.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def _link(source: Path, target: Path) -> None:
    if source.exists() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(source.resolve())
