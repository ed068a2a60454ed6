"""A stage's contract: what it reads and writes, checked at both ends of every run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path
from typing import Literal

from stages.common.errors import ContractError
from stages.common.params.schema import Params
from stages.common.run.artefacts import Artefact, Raster, Schema

FAN_IN = {"{years}": "years", "{training_years}": "training_years", "{folds}": "crossval.folds"}
"""Placeholders that stand for one path per year (or per fold), and the parameter that lists them."""

PASSES_MAX = 20
"""Largest number that ``{pass}`` stands for: as many dates as `ingest.choice.scenes_per_year` may ask for."""


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Inputs and outputs of one stage.

    Paths are templates relative to the site's folder (inputs) or the stage's own folder (outputs):
    ``{year}`` is the year a per-year stage runs for, ``{years}`` and ``{training_years}`` stand for one path
    each, ``{folds}`` for one path each of ``crossval.folds``, ``{pass}`` for a numbered path per pass (only
    optional artefacts), ``{model}`` is ``predict.model``, ``{evaluate_year}`` is ``evaluate.year``, and
    ``{reference_year}``, whose geometry the other years are compared with, is the first of ``training_years``.
    """

    stage: str
    summary: str
    inputs: Mapping[str, Artefact]
    outputs: Mapping[str, Artefact]
    metrics: Artefact | None = None
    per: Literal["site", "year", "training_year"] = "site"
    params: tuple[str, ...] = field(default=())
    """Sections of ``params.yaml`` that change the stage's result; the same stand in ``dvc.yaml``."""

    def folder(self, year: int | None) -> Path:
        """Return the only folder that the stage owns, relative to the site's."""
        return Path("artifacts", self.stage, *([str(year)] if self.per != "site" else []))

    def describe(self) -> Schema:
        """Return the contract as JSON Schema."""
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": self.stage,
            "description": self.summary,
            "type": "object",
            "properties": {
                "params": {"type": "array", "items": {"enum": list(self.params)}},
                "inputs": _describe_all(self.inputs),
                "outputs": _describe_all(self.outputs),
                "metrics": self.metrics.describe() if self.metrics else {"const": None},
            },
        }


def _describe_all(artefacts: Mapping[str, Artefact]) -> Schema:
    required = [path for path, artefact in artefacts.items() if not artefact.optional]
    properties = {path: artefact.describe() for path, artefact in artefacts.items()}
    return {"type": "object", "properties": properties, "required": required}


def paths_of(template: str, params: Params, year: int | None) -> dict[int | None, Path]:
    """Return the paths that a template stands for: one per year of a fan-in or per pass, else one with the key None."""
    values = {
        "{year}": str(year),
        "{reference_year}": str(params.training_years[0]),
        "{evaluate_year}": str(params.evaluate.year),
        "{model}": params.predict.model,
    }
    for placeholder, value in values.items():
        template = template.replace(placeholder, value)
    for placeholder, name in FAN_IN.items():
        if placeholder in template:
            years: Sequence[int] = attrgetter(name)(params)
            return {year: Path(template.replace(placeholder, str(year))) for year in years}
    if "{pass}" in template:
        return {number: Path(template.replace("{pass}", str(number))) for number in range(1, PASSES_MAX + 1)}
    return {None: Path(template)}


def check_inputs(contract: Contract, params: Params, year: int | None) -> None:
    """Check every declared input before any work.

    Raises
    ------
    ContractError, InputError
        An input is absent or is not what it must be, rasters lie on different grids, or a fan-in folder
        holds other years than the parameters say.
    """
    for template in contract.inputs:
        _check_years(template, params)
    check_files(contract.inputs, Path(), params, year)


def check_outputs(contract: Contract, folder: Path, params: Params, year: int | None) -> None:
    """Check every declared output in `folder` before it is renamed into place, and that nothing else is there."""
    check_files(contract.outputs, folder, params, year)
    declared = {path for template in contract.outputs for path in paths_of(template, params, year).values()}
    stray = sorted({path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} - declared)
    if stray:
        raise ContractError(
            f"{contract.stage} wrote a file that its contract does not declare", where=folder, found=stray[0]
        )


def check_files(artefacts: Mapping[str, Artefact], root: Path, params: Params, year: int | None) -> None:
    """Check the files that templates relative to `root` stand for; those on the site's grid must share it.

    Raises
    ------
    ContractError, InputError
        A file is absent or is not what it must be, or two rasters lie on different grids.
    """
    grids: dict[str, Path] = {}
    for template, artefact in artefacts.items():
        for relative in paths_of(template, params, year).values():
            path = root / relative
            if path.exists():
                artefact.check(path)
            elif not artefact.optional:
                raise ContractError(
                    "a file is absent",
                    where=path,
                    expected=artefact.summary,
                    fix="`make repro` runs the stages that make it",
                )
            if isinstance(artefact, Raster) and artefact.grid_bound and path.exists():
                _check_grid(path, grids)


def _check_grid(path: Path, grids: dict[str, Path]) -> None:
    from stages.common.geo.raster import read_grid

    grids.setdefault(str(read_grid(path)), path)
    if len(grids) > 1:
        (first, first_path), (second, second_path) = grids.items()
        raise ContractError(
            "two rasters lie on different grids",
            where=second_path,
            expected=f"{first} (as {first_path})",
            found=second,
            fix="run `make repro`: all years are prepared on the one grid of params.yaml",
        )


def _check_years(template: str, params: Params) -> None:
    for placeholder, name in FAN_IN.items():
        if f"/{placeholder}/" not in template:
            continue  # a year in a file's name: its stage writes one folder with all of them
        parent = Path(template.split(placeholder, maxsplit=1)[0])
        expected = sorted(str(year) for year in attrgetter(name)(params))
        names = sorted(path.name for path in parent.glob("[!.]*"))  # DVC may leave a .gitignore there
        if names != expected:
            raise ContractError(
                f"{parent} does not hold exactly the {name} of params.yaml",
                where=parent,
                expected=", ".join(expected),
                found=", ".join(names) or "nothing",
                fix=f"`make repro` removes folders of undeclared years and makes missing ones (params: {name})",
            )
