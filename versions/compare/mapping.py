"""Maps by each version's model of the workspace's scenes, from DVC's cache where it has them, else made anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.common.errors import InputError
from stages.common.geo.raster import open_raster
from stages.common.model.inference import read_info
from stages.common.run.records import file_md5
from versions.compare.objects import Objects, code_md5, dep_md5, entry, out_md5
from versions.compare.version import MODEL, Version
from versions.compare.workspace import Workspace
from versions.tools.scratch import CONTRACTS, run_scratch_stage, scratch_site

AREA_FILES = "artifacts/area"
REQUIRED_MAPS = [name for name, artefact in CONTRACTS["predict"].outputs.items() if not artefact.optional]


@dataclass(frozen=True, kw_only=True)
class Cached:
    """Maps of one year in DVC's cache."""

    files: Mapping[str, Path]
    by_other_code: bool
    """Whether the code of `stages.predict` differed from today's."""


@dataclass(frozen=True, kw_only=True)
class MappedVersion:
    """Maps and areas that a version's model gives for all years."""

    folder: Path
    """A site's folder with ``artifacts/predict``, ``artifacts/prepare`` and `areas`."""
    areas: Path
    """Folder with glacier_area_by_year.csv and area_by_glacier.csv."""
    bands: list[str]
    origin: str
    """Where the maps come from, in words."""

    def mask(self, year: int) -> Path:
        """Return the path of a year's map."""
        return self.folder / f"artifacts/predict/{year}/mask.tif"

    def valid(self, year: int) -> Path:
        """Return the path of the mask of pixels that were observed in a year."""
        return self.folder / f"artifacts/prepare/{year}/valid.tif"


@contextmanager
def map_version(version: Version, workspace: Workspace) -> Iterator[MappedVersion]:
    """Map every year with a version's model, in a folder that is removed at the end.

    Raises
    ------
    InputError
        The model takes other bands than the workspace's scenes have, and its own scenes cannot be fetched.
    """
    bands = list(read_info(version.model).bands)
    years = workspace.params.years
    scenes = scenes_for(version, bands, workspace)
    cached = {year: maps for year in years if (maps := cached_maps(version, year, scenes, workspace))}
    replaced = {MODEL: version.model, **scenes, **_places(cached)}
    with scratch_site(
        workspace.site, ("predict", "area"), replaced=replaced, changes={"predict.model": MODEL}, years=years
    ) as folder:
        uncached = [year for year in years if year not in cached]
        for year in uncached:
            run_scratch_stage(folder, "predict", "--year", str(year))
        areas = None if uncached else cached_areas(version, workspace)
        if areas is None:
            run_scratch_stage(folder, "area")
        else:
            _place(areas, folder / AREA_FILES)
        yield MappedVersion(
            folder=folder, areas=folder / AREA_FILES, bands=bands,
            origin=_origin(list(cached.values()), len(uncached), areas_cached=areas is not None),
        )  # fmt: skip


def scenes_for(version: Version, bands: Sequence[str], workspace: Workspace) -> dict[str, Path]:
    """Return the files that stand for the workspace's scenes; none where the workspace's own fit the model.

    Raises
    ------
    InputError
        They do not fit, and the version's own scenes are neither in DVC's cache nor in its remote.
    """
    years = workspace.params.years
    bands_by_year = {year: _bands(workspace.site / f"artifacts/prepare/{year}/scene.tif") for year in years}
    if all(names == list(bands) for names in bands_by_year.values()):
        return {}
    own = {year: _folder(version.lock, f"prepare@{year}", workspace.objects) for year in years}
    if absent := [year for year, files in own.items() if files is None]:
        raise InputError(
            "the workspace's scenes have other bands than this version's model, and its own scenes cannot be fetched",
            where=version.name, expected=", ".join(bands), found=", ".join(bands_by_year[absent[0]]),
            fix=f"`dvc push` where they were prepared ({absent[0]} is absent), or compare versions on the same bands",
        )  # fmt: skip
    return {
        f"artifacts/prepare/{year}/{name}": path for year, files in own.items() for name, path in (files or {}).items()
    }


def cached_maps(version: Version, year: int, scenes: Mapping[str, Path], workspace: Workspace) -> Cached | None:
    """Return a year's maps of this model and this scene from DVC's cache or remote, or None.

    The dvc.lock of the version and that of the workspace name them: a map of the same model and scene is the same map.
    """
    stage, objects, current = f"predict@{year}", workspace.objects, workspace.lock
    for lock in (version.lock, current):
        same_model = dep_md5(lock, stage, "model.onnx") == version.model_md5
        if same_model and _same_scene(dep_md5(lock, stage, f"prepare/{year}"), year, scenes, workspace):
            files = _folder(lock, stage, objects)
            if files is not None and all(name in files for name in REQUIRED_MAPS):
                same = code_md5(lock, stage) == code_md5(current, stage)
                return Cached(files=files, by_other_code=not same)
    return None


def cached_areas(version: Version, workspace: Workspace) -> Mapping[str, Path] | None:
    """Return the areas of the version's maps from DVC's cache or remote, or None.

    Only where all else that they rest on is as it is now.
    """
    objects, current = workspace.objects, workspace.lock
    current_entry = entry(current, "area")
    for lock in (version.lock, current):
        own = entry(lock, "area")
        same_deps = own and _without_maps(own) == _without_maps(current_entry)
        same_params = own.get("params") == current_entry.get("params")
        if same_deps and same_params and dep_md5(lock, "area", "model.onnx") == version.model_md5:
            return None if objects.repo.status(targets=["area"]) else _folder(lock, "area", objects)
    return None


def _without_maps(stage: Mapping[str, Any]) -> dict[str, str]:
    return {
        dep["path"]: dep["md5"]
        for dep in stage.get("deps", [])
        if dep["path"] != "artifacts/predict" and not dep["path"].endswith("model.onnx")
    }


def _same_scene(md5: str | None, year: int, scenes: Mapping[str, Path], workspace: Workspace) -> bool:
    """Whether the scene that dvc.lock names is, byte for byte, the one to be mapped."""
    recorded = workspace.objects.listing(md5) if md5 else {}
    paths = {name: f"artifacts/prepare/{year}/{name}" for name in ("scene.tif", "valid.tif")}
    return all(recorded.get(name) == file_md5(scenes.get(path, workspace.site / path)) for name, path in paths.items())


def _folder(lock: Mapping[str, Any], stage: str, objects: Objects) -> Mapping[str, Path] | None:
    md5 = out_md5(lock, stage)
    return objects.folder(md5) if md5 else None


def _places(cached: Mapping[int, Cached]) -> dict[str, Path]:
    return {
        f"artifacts/predict/{year}/{name}": path for year, maps in cached.items() for name, path in maps.files.items()
    }


def _place(files: Mapping[str, Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        (folder / name).symlink_to(path)


def _bands(path: Path) -> list[str]:
    with open_raster(path) as dataset:
        return [str(name) for name in dataset.descriptions]


def _origin(cached: Sequence[Cached], uncached: int, *, areas_cached: bool) -> str:
    older = sum(maps.by_other_code for maps in cached)
    parts = [f"{len(cached)} maps from DVC's cache"] if cached else []
    parts += [f"{older} of them made by other code than the workspace's last run"] if older else []
    parts += [f"{uncached} maps made now"] if uncached else []
    return "; ".join([*parts, f"areas {'from the cache too' if areas_cached else 'measured now'}"])
