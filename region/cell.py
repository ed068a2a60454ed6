"""Map one cell: a site in a scratch folder, its stages called one after the other as `make repro` calls them."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from region.results import Results
from stages.common.errors import InputError
from stages.common.params.schema import load_params

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("ingest", "prepare", "labels", "predict", "area")
"""Stages of a cell, in their order; none is trained, reported or tracked by itself."""

KEPT = ("artifacts/area", "artifacts/predict", "data/outlines.gpkg", "data/scene_choice.csv")
"""What is kept of a cell; scenes are read again where they are needed again."""

OUTLINES = "source/outlines.gpkg"


@dataclass(frozen=True, kw_only=True)
class Job:
    """A cell as a worker gets it. It is small: model and outlines are read from the results."""

    cell: str
    key: str
    """Hash of parameters, model, outlines, local scenes and code."""
    site: dict[str, Any]
    """params.yaml of the site that the cell is."""
    glaciers: tuple[str, ...]
    model: str
    outlines: str
    """Names of both among the results."""
    code: str
    results: str
    catalogue: tuple[str, int] | None
    """Name and size of the limit of cells that ask the catalogue at once; None: nothing is asked."""

    @property
    def place(self) -> str:
        """Folder of the cell among the results."""
        return f"cells/{self.cell}/{self.key[:16]}"


@cache
def code_hash() -> str:
    """Return the hash of the code and packages that a cell's numbers follow from."""
    folders = [ROOT / "stages" / name for name in ("common", *STAGES)]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    digest = hashlib.sha256()
    for path in (*files, ROOT / "docker/locks/region.txt"):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def map_cell(job: Job, scratch: Path, limit: Callable[[], AbstractContextManager[Any]] = nullcontext) -> dict[str, Any]:
    """Map a cell in a folder within `scratch`, put what is kept into the results, and return its manifest.

    Parameters
    ----------
    limit
        Entered while scenes are fetched.

    Raises
    ------
    InputError
        This worker has other code than who asks.
    GlacierError
        As the stages raise it.
    """
    if job.code != code_hash():
        raise InputError(
            "a worker has other code or packages", where=ROOT, expected=job.code[:12], found=code_hash()[:12],
            fix="start the workers from the same commit, and with the same .venv-region",
        )  # fmt: skip
    results = Results(job.results)
    if manifest := results.manifest(job.place):  # another worker was faster, or this one was only thought lost
        return manifest
    folder = scratch / job.cell
    shutil.rmtree(folder, ignore_errors=True)
    make_site(folder, job, results)
    seconds: dict[str, float] = {}
    cpu_began = time.process_time()
    try:
        with contextlib.chdir(folder):
            for name, seconds_of_stage in run_stages(limit):
                seconds[name] = round(seconds.get(name, 0.0) + seconds_of_stage, 3)
        cpu_seconds = round(time.process_time() - cpu_began, 3)
        for name in KEPT:
            _keep(folder, name)
        manifest = {
            "cell": job.cell,
            "key": job.key,
            "glaciers": list(job.glaciers),
            "seconds": seconds | {"all": round(sum(seconds.values()), 3)},
            "cpu_seconds": cpu_seconds,
            "worker_peak_mib": peak_mib(),
        }
        results.put_cell(job.place, folder / "kept", manifest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return manifest


def peak_mib() -> int:
    """Return the largest memory that this process has had, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 2**20 if sys.platform == "darwin" else peak // 2**10  # bytes there, kB elsewhere


def make_site(folder: Path, job: Job, results: Results) -> None:
    """Write params.yaml, the model and the outlines of a cell's site."""
    for name, source in ((job.site["predict"]["model"], job.model), (OUTLINES, job.outlines)):
        content = results.read(source)
        if content is None:
            raise InputError("an input of the cells is gone", where=source, fix="run `make region` again: it writes it")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "params.yaml").write_text(yaml.safe_dump(job.site, sort_keys=False), encoding="utf-8")


def run_stages(limit: Callable[[], AbstractContextManager[Any]] = nullcontext) -> Iterator[tuple[str, float]]:
    """Run the stages of the site in the working directory; yield the name of each, and its seconds."""
    from stages.area.contract import CONTRACT as AREA
    from stages.area.measure import measure
    from stages.common.run.stage import run_stage
    from stages.ingest.ingest import ingest
    from stages.labels.contract import CONTRACT as LABELS
    from stages.labels.label import label
    from stages.predict.contract import CONTRACT as PREDICT
    from stages.predict.predict import predict
    from stages.prepare.contract import CONTRACT as PREPARE
    from stages.prepare.prepare import prepare

    params, log = load_params(), logging.getLogger
    started = time.monotonic()
    with limit():
        ingest(params, log("ingest"))
    yield "ingest", time.monotonic() - started
    for contract, entry in ((PREPARE, prepare), (LABELS, label), (PREDICT, predict), (AREA, measure)):
        for year in params.years if contract.per == "year" else [None]:
            started = time.monotonic()
            run_stage(contract, entry, year=year, log=log(contract.stage))
            yield contract.stage, time.monotonic() - started


def _keep(folder: Path, name: str) -> None:
    source, target = folder / name, folder / "kept" / name.split("/", 1)[1]
    target.parent.mkdir(exist_ok=True)
    source.rename(target)
