"""What `make doctor` looks at: one finding each, with the fix where something is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rasterio.warp import transform_bounds

from stages.common import settings
from stages.common.errors import GlacierError
from stages.common.geo.grid import snap_grid
from stages.common.geo.vectors import site_grid
from stages.common.machine import memory_bytes
from stages.common.params.ingest import BoxParams
from stages.common.params.schema import Params, load_params
from stages.ingest.counting import counted
from versions.tools.sections import require_sections

PYTHONS = ((3, 11), (3, 13))
"""First and last Python that the locks resolve for (`bin/environment`)."""

MODEL_BYTES = 2e9
"""Memory of a training beside its patches, roughly: TensorFlow, the net, its gradients and its batch."""

BYTES_PER_PIXEL = 80
"""Disk of a year's data and results per pixel of the site: the demo's 1.8 GB over 9 years of 1600 x 1600 px."""

ARRAYS_PER_PIXEL = 120
"""Memory per pixel of the largest stage, roughly: a scene of six bands as float32, its masks and what is warped."""

SECONDS_AT_REST, SECONDS_PER_TRAINED_MPX, SECONDS_PER_MPX_YEAR = 45.0, 0.7, 2.5
"""On two cores with AVX-512 `make repro` of Everest takes 2.5 minutes (143 Mpx trained, 0.5 mapped), of the demo 4 (197
and 23)."""

State = Literal["ok", "fix", "note"]


@dataclass(frozen=True)
class Finding:
    """One line of the doctor."""

    state: State
    subject: str
    text: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.state:<5}{self.subject:<12}{self.text}" + (f"; fix: {self.fix}" if self.fix else "")


def of_machine(root: Path) -> Iterator[Finding]:
    """Yield what concerns every site: Python, the environment, programs, and the checkout's place."""
    version = sys.version_info[:2]
    fits = PYTHONS[0] <= version <= PYTHONS[1]
    name = f"{version[0]}.{version[1]}"
    yield Finding(
        "ok" if fits else "fix", "Python", name, "" if fits else "PYTHON=python3.11 make demo, after make clean"
    )
    stamp = root / ".venv/.installed"
    locks = [root / f"docker/locks/{lock}.txt" for lock in ("dev", "bootstrap")]
    current = stamp.exists() and all(lock.stat().st_mtime <= stamp.stat().st_mtime for lock in locks)
    text = "current" if current else "older than its locks, or not made by make"
    yield Finding("ok" if current else "note", "environment", text, "" if current else "make help makes it current")
    has_git = shutil.which("git") is not None and (root / ".git").exists()
    yield Finding(
        "ok" if has_git else "fix",
        "git",
        "a checkout" if has_git else "no git, or no checkout",
        "" if has_git else "git clone",
    )
    colon = ":" in str(root)
    yield Finding(
        "fix" if colon else "ok", "paths", f"{root}: {'a colon' if colon else 'blanks would do no harm'}",
        "move the checkout to a path without a colon" if colon else "",
    )  # fmt: skip
    yield _engine()


def _engine() -> Finding:
    runner = settings.get(settings.RUNNER, "native")
    name = settings.get(settings.ENGINE, runner if runner != "native" else "docker")
    if shutil.which(name):
        return Finding("ok", "engine", f"{name}; RUNNER is {runner}")
    if runner == "native":
        return Finding("ok", "engine", "none, and none is needed: RUNNER is native")
    return Finding("fix", "engine", f"RUNNER is {runner}, and there is no {name}", f"install {name}, or unset RUNNER")


def of_site(site: Path) -> Iterator[Finding]:
    """Yield what concerns a site's folder: parameters, files, keys, disk, memory and the time that a run takes."""
    try:
        params = load_params(site / "params.yaml")
        require_sections(site / "params.yaml", site / "dvc.yaml")
    except (GlacierError, OSError) as error:
        text = getattr(error, "what", str(error))
        yield Finding("fix", "parameters", f"{text}: {getattr(error, 'found', '')}", getattr(error, "fix", ""))
        return
    yield Finding("ok", "parameters", f"{counted(len(params.years), 'year')}, {len(params.training_years)} trained on")
    yield from _files(site, params)
    yield from _keys(params)
    yield from _openvino(params)
    pixels = _pixels(site, params)
    yield from _disk(site, params, pixels)
    yield _memory(params, pixels)
    yield Finding("note", "time", f"about {_minutes(params, pixels):.0f} minutes for make repro on {_cores()} cores")


def _files(site: Path, params: Params) -> Iterator[Finding]:
    if (site / "data/scenes").exists():
        yield Finding("ok", "files", "data/ is there")
        return
    missing = list(_missing(site, params))
    for text, fix in missing:
        yield Finding("fix", "files", text, fix)
    if not missing:
        yield Finding("ok", "files", f"{len(params.ingest.file_paths())} named in params.yaml, all there")


def _missing(site: Path, params: Params) -> Iterator[tuple[str, str]]:
    unset: set[str] = set()
    for text in params.ingest.file_paths():
        variables = [name for name in settings.variables_in(text) if settings.lookup(name) is None]
        for name in variables:
            if name not in unset:
                yield f"{name} is not set ({text})", f"export {name}=<folder>"
        unset.update(variables)
        path = None if variables else site / settings.expand(text, where="ingest")
        if path is not None and not path.exists():
            yield f"no {path}", "correct the path in params.yaml, or get the file"


def _keys(params: Params) -> Iterator[Finding]:
    stac = params.ingest.stac
    if params.ingest.source != "stac" or stac is None:
        return
    names = [settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY] if stac.profile == "copernicus-dataspace" else []
    unset = [name for name in names if settings.lookup(name) is None]
    if unset:
        yield Finding(
            "fix", "keys", f"{' and '.join(unset)} not set", "docs/data.md says where to get them, then export"
        )
    else:
        yield Finding("ok", "keys", "both are set" if names else f"{stac.profile} needs none")


def _openvino(params: Params) -> Iterator[Finding]:
    if params.predict.engine == "openvino" and settings.get(settings.RUNNER, "native") == "native":
        there = importlib.util.find_spec("openvino") is not None
        text = f"{'' if there else 'not '}installed, and predict.engine: openvino"
        yield Finding("ok" if there else "fix", "OpenVINO", text, "" if there else "make openvino")


def _pixels(site: Path, params: Params) -> int:
    """Return the pixels of the site's grid; 0 where they cannot be told from params.yaml and data/."""
    if (site / "data/aoi.gpkg").exists():
        return _area(site_grid(params.grid, site / "data/aoi.gpkg").shape)
    aoi = params.ingest.aoi
    if isinstance(aoi, BoxParams):
        bounds = transform_bounds(aoi.crs, params.grid.crs, *aoi.bounds, densify_pts=21)
        size, origin = params.grid.pixel_size_m, params.grid.origin_m
        return _area(snap_grid(bounds, crs=params.grid.crs, pixel_size_m=size, origin_m=origin).shape)
    return 0


def _area(shape: tuple[int, int]) -> int:
    return shape[0] * shape[1]


def _disk(site: Path, params: Params, pixels: int) -> Iterator[Finding]:
    free = shutil.disk_usage(site).free
    need = 5e8 + BYTES_PER_PIXEL * pixels * len(params.years)
    enough = free > need
    text = f"{free / 1e9:.1f} GB free, about {need / 1e9:.1f} GB needed"
    yield Finding(
        "ok" if enough else "fix", "disk", text, "" if enough else "free some, or link artifacts/ to another disk"
    )
    if not os.access(site, os.W_OK):
        yield Finding("fix", "disk", f"{site} cannot be written", "change its owner or mode")


def _memory(params: Params, pixels: int) -> Finding:
    total = memory_bytes()
    patches = params.train.batch_size * params.patches.full_size_px**2 * 16 * params.train.base_channels * 4
    need = max(MODEL_BYTES + patches, ARRAYS_PER_PIXEL * pixels)
    text = f"{total / 1e9:.1f} GB, about {need / 1e9:.1f} GB needed"
    if total >= need:
        return Finding("ok", "memory", text)
    return Finding("fix", "memory", text, "a smaller train.batch_size, or a smaller AOI")


def _cores() -> int:
    return settings.inference_threads()


def _minutes(params: Params, pixels: int) -> float:
    train = params.train
    trained = train.epochs * train.steps_per_epoch * train.batch_size * train.members * params.patches.full_size_px**2
    mapped = pixels * len(params.years)
    seconds = SECONDS_AT_REST + SECONDS_PER_TRAINED_MPX * trained / 1e6 + SECONDS_PER_MPX_YEAR * mapped / 1e6
    return max(seconds / 60 * 2 / _cores(), 1.0)
