"""How a stage runs: parameters, inputs checked, work in a scratch folder, outputs checked, rename."""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from stages.common.errors import ContractError, ParamsError
from stages.common.params.schema import Params, load_params
from stages.common.run.contracts import Contract, check_inputs, check_outputs, paths_of
from stages.common.run.exit_code import exit_code_of, show
from stages.common.run.outputs import atomic_folder, write_json


@dataclass(frozen=True)
class Run:
    """A run as the stage's entry function sees it: parameters, year, inputs, and a folder to write to."""

    contract: Contract
    params: Params
    year: int | None
    out: Path
    """Scratch folder, which becomes the stage's folder when the function returns."""
    log: logging.Logger

    def path(self, template: str) -> Path:
        """Return the path of a declared input that is a single file."""
        return self.paths(template)[None]

    def paths(self, template: str) -> dict[int | None, Path]:
        """Return the paths of a declared fan-in input by year."""
        if template not in self.contract.inputs:
            raise ContractError(f"{self.contract.stage} reads what its contract does not declare", where=template)
        return paths_of(template, self.params, self.year)

    def by_year(self, template: str) -> dict[int, Path]:
        """Return the paths of a declared fan-in input by year, in the order of the years."""
        return {year: path for year, path in sorted(self.paths(template).items()) if year is not None}


Entry = Callable[[Run], BaseModel | None]
"""Entry function of a stage: it writes into `Run.out` and returns its metrics, if it has any."""


def main(contract: Contract, entry: Entry, argv: Sequence[str] | None = None) -> int:
    """Run a stage from the command line and return its exit code (`stages.common.run.exit_code`)."""
    return run_command_line(contract, lambda year, log: run_stage(contract, entry, year=year, log=log), argv)


def run_command_line(
    contract: Contract, work: Callable[[int | None, logging.Logger], None], argv: Sequence[str] | None
) -> int:
    """Parse the command line, describe the contract or do `work` for the year given, and return the exit code."""
    arguments = _parse(contract, argv)
    if arguments.describe:
        return show(contract.stage, json.dumps(contract.describe(), indent=2))
    name = contract.stage if arguments.year is None else f"{contract.stage}@{arguments.year}"
    return exit_code_of(name, lambda: work(arguments.year, logging.getLogger(name)))


def run_stage(contract: Contract, entry: Entry, *, year: int | None, log: logging.Logger) -> None:
    """Check inputs, run `entry`, check outputs, then put folder and metrics in place."""
    params = load_params()
    _check_year(contract, params, year)
    check_inputs(contract, params, year)
    if not contract.outputs:
        entry(Run(contract, params, year, Path(), log))
        return
    with atomic_folder(contract.folder(year)) as out:
        metrics = entry(Run(contract, params, year, out, log))
        check_outputs(contract, out, params, year)
        if metrics is not None:
            write_json(Path("metrics", f"{contract.stage}.json"), metrics)


def _parse(contract: Contract, argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"python -m stages.{contract.stage}", description=contract.summary)
    parser.add_argument("--describe", action="store_true", help="print the contract as JSON Schema")
    parser.set_defaults(year=None)
    if contract.per != "site":
        parser.add_argument("--year", type=int, help="year to work on")
    return parser.parse_args(sys.argv[1:] if argv is None else argv)


def _check_year(contract: Contract, params: Params, year: int | None) -> None:
    if contract.per == "site":
        return
    declared = params.years if contract.per == "year" else params.training_years
    if year not in declared:
        raise ParamsError(
            f"{contract.stage} runs for one of the declared years",
            where="--year",
            expected=f"one of {declared}",
            found=year,
            fix="give one of these years, or add this one to params.yaml",
        )
