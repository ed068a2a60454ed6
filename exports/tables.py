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

CONTRACTS = {
    "ingest": ("stages.ingest.contract", "data"),
    "labels": ("stages.labels.contract", "artifacts/labels"),
    "train": ("stages.train.contract", "artifacts/train"),
    "evaluate": ("stages.evaluate.contract", "artifacts/evaluate"),
    "crossval": ("stages.evaluate.crossval_contract", "artifacts/crossval"),
    "area": ("stages.area.contract", "artifacts/area"),
}
"""Stage to the module of its contract, and the folder of its outputs: those that write tables."""


def tables_of(site: Finished) -> Iterator[tuple[str, Path, Table]]:
    """Yield the tables that are there: stage, path, and contract of each."""
    for stage, (module, folder) in CONTRACTS.items():
        contract: Contract = importlib.import_module(module).CONTRACT
        for template, artefact in contract.outputs.items():
            if isinstance(artefact, Table):
                for relative in paths_of(template, site.params, None).values():
                    path = site.root / folder / relative
                    if path.exists():
                        yield stage, path, artefact


def write_tables(site: Finished, caveats: Sequence[str], folder: Path) -> None:
    """Copy the tables into `folder`, each after a check of its contract, and write the datapackage.json beside them."""
    folder.mkdir()
    resources = []
    for stage, path, table in tables_of(site):
        table.check(path)
        (folder / stage).mkdir(exist_ok=True)
        shutil.copyfile(path, folder / stage / path.name)
        resources.append(resource(f"{stage}/{path.name}", table.row, description=table.summary))
    content = package(
        f"{site.params.site.name}-tables",
        title=f"{site.params.site.title}: tables",
        description=" ".join(caveats) or "Glacier areas from satellite images; units stand in the names.",
        resources=sorted(resources, key=lambda entry: str(entry["name"])),
    )
    write_json(folder / "datapackage.json", content)
