"""A stage beside the working tree: a scratch site of links, some files replaced, some parameters changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from stages.common.errors import InputError
from stages.common.params.schema import load_params
from stages.common.run.contracts import Contract, paths_of

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def scratch_site(
    site: Path,
    contracts: Sequence[Contract],
    *,
    replaced: Mapping[str, Path] | None = None,
    changes: Mapping[str, Any] | None = None,
    years: Sequence[int | None] = (None,),
) -> Iterator[Path]:
    """A folder in which the stages of `contracts` can run without touching the site's.

    Parameters
    ----------
    site
        Folder with params.yaml and the inputs of the stages.
    replaced
        Input, relative to a site, to the file that stands for it.
    changes
        Dotted parameter, as ``predict.model``, to its value here.
    years
        Years for which per-year stages will run.

    Yields
    ------
    The folder; it is removed at the end.
    """
    with TemporaryDirectory(prefix="glacier-") as name:
        folder = Path(name)
        _write_params(site, folder, changes or {})
        params = load_params(folder / "params.yaml")
        for contract in contracts:
            for template in contract.inputs:
                for year in years:
                    for path in paths_of(template, params, year).values():
                        _link((replaced or {}).get(str(path), site / path), folder / path)
        yield folder


def run_stage(folder: Path, stage: str, *arguments: str) -> None:
    """Run a stage in a scratch site.

    Raises
    ------
    InputError
        It failed; what it said is part of the message.
    """
    command = [sys.executable, "-m", f"stages.{stage}", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
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
