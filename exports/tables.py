"""All tables of a finished run as a Data Package, each with the schema of its contract."""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from exports.data_package import package, resource
from exports.finished import Finished
from stages.common.run.artefacts import Table
from stages.common.run.contracts import Contract, paths_of
from stages.common.run.outputs import write_json

STAGES = ("labels", "train", "evaluate", "area")
"""Stages whose tables say something of the site; those of `report` and `track` are theirs."""


def tables_of(site: Finished) -> Iterator[tuple[Path, Table]]:
    """Yield the tables that are there, with the contract of each."""
    for stage in STAGES:
        contract: Contract = importlib.import_module(f"stages.{stage}.contract").CONTRACT
        for template, artefact in contract.outputs.items():
            if isinstance(artefact, Table):
                for relative in paths_of(template, site.params, None).values():
                    path = site.root / contract.folder(None) / relative
                    if path.exists():
                        yield path, artefact


def write_tables(site: Finished, caveats: Sequence[str], folder: Path) -> None:
    """Copy the tables into `folder`, each after a check of its contract, and write the datapackage.json beside them."""
    folder.mkdir()
    resources = []
    for path, table in tables_of(site):
        table.check(path)
        shutil.copyfile(path, folder / path.name)
        resources.append(resource(path.name, table.row, description=table.summary))
    content = package(
        f"{site.params.site.name}-tables",
        title=f"{site.params.site.title}: tables",
        description=" ".join(caveats) or "Glacier areas from satellite images; units stand in the names.",
        resources=sorted(resources, key=lambda entry: str(entry["name"])),
    )
    write_json(folder / "datapackage.json", content)
