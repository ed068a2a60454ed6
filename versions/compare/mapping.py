"""Each version's model on the workspace's scenes: maps from DVC's cache where it has them, else made aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages.area.contract import CONTRACT as AREA
from stages.common.errors import InputError
from stages.common.geo.raster import open_raster
from stages.common.model.inference import read_info
from stages.common.run.records import file_md5
from stages.predict.contract import CONTRACT as PREDICT
from versions.compare.objects import Objects, code_md5, dep_md5, entry, out_md5
from versions.compare.version import MODEL, Version
from versions.compare.workspace import Workspace
from versions.tools.scratch import run_stage, scratch_site

AREA_FILES = "artifacts/area"


@dataclass(frozen=True, kw_only=True)
class Cached:
    """A year's maps in DVC's cache."""

    files: Mapping[str, Path]
    by_other_code: bool
    """`stages.predict` was another then."""


@dataclass(frozen=True, kw_only=True)
class Mapped:
    """What a version's model makes of all years."""

    folder: Path
    """A site's folder with ``artifacts/predict``, ``artifacts/prepare`` and `areas`."""
    areas: Path
    """Folder with glacier_area_by_year.csv and area_by_glacier.csv."""
    bands: list[str]
    said: str
    """Where the maps come from."""

    def mask(self, year: int) -> Path:
        """The year's map."""
        return self.folder / f"artifacts/predict/{year}/mask.tif"

    def valid(self, year: int) -> Path:
        """What was seen that year."""
        return self.folder / f"artifacts/prepare/{year}/valid.tif"


@contextmanager
def mapped(version: Version, workspace: Workspace) -> Iterator[Mapped]:
    """Map every year with a version's model, in a folder that is removed at the end.

    Raises
    ------
    InputError
        The model takes other bands than the workspace's scenes have, and its own cannot be had.
    """
    bands = list(read_info(version.model).bands)
    years = workspace.params.years
    scenes = scenes_for(version, bands, workspace)
    cached = {year: found for year in years if (found := cached_maps(version, year, scenes, workspace))}
    replaced = {MODEL: version.model, **scenes, **_places(cached)}
    with scratch_site(
        workspace.site, (PREDICT, AREA), replaced=replaced, changes={"predict.model": MODEL}, years=years
    ) as folder:
        made = [year for year in years if year not in cached]
        for year in made:
            run_stage(folder, "predict", "--year", str(year))
        areas = None if made else cached_areas(version, workspace)
        if areas is None:
            run_stage(folder, "area")
        else:
            _place(areas, folder / AREA_FILES)
        yield Mapped(
            folder=folder, areas=folder / AREA_FILES, bands=bands,
            said=_said(list(cached.values()), len(made), areas_cached=areas is not None),
        )  # fmt: skip


def scenes_for(version: Version, bands: Sequence[str], workspace: Workspace) -> dict[str, Path]:
    """Files that stand for the workspace's scenes; none where its own fit the model.

    Raises
    ------
    InputError
        They do not, and the version's own scenes are not in DVC's cache or remote.
    """
    years = workspace.params.years
    found = {year: _bands(workspace.site / f"artifacts/prepare/{year}/scene.tif") for year in years}
    if all(names == list(bands) for names in found.values()):
        return {}
    own = {year: _folder(version.lock, f"prepare@{year}", workspace.objects) for year in years}
    if absent := [year for year, files in own.items() if files is None]:
        raise InputError(
            "the workspace's scenes have other bands than this version's model, and its own scenes cannot be had",
            where=version.name, expected=", ".join(bands), found=", ".join(found[absent[0]]),
            fix=f"`dvc push` where they were prepared ({absent[0]} is absent), or compare versions on the same bands",
        )  # fmt: skip
    return {
        f"artifacts/prepare/{year}/{name}": path for year, files in own.items() for name, path in (files or {}).items()
    }


def cached_maps(version: Version, year: int, scenes: Mapping[str, Path], workspace: Workspace) -> Cached | None:
    """A year's maps of this model and this scene that DVC's cache or remote has, or None.

    The dvc.lock of the version and that of the workspace tell: a map of the same model and scene is the same map.
    """
    stage, objects, current = f"predict@{year}", workspace.objects, workspace.lock
    for lock in (version.lock, current):
        same_model = dep_md5(lock, stage, "model.onnx") == version.model_md5
        if same_model and _same_scene(dep_md5(lock, stage, f"prepare/{year}"), year, scenes, workspace):
            files = _folder(lock, stage, objects)
            if files is not None and all(name in files for name, one in PREDICT.outputs.items() if not one.optional):
                same = code_md5(lock, stage) == code_md5(current, stage)
                return Cached(files=files, by_other_code=not same)
    return None


def cached_areas(version: Version, workspace: Workspace) -> Mapping[str, Path] | None:
    """Areas of the version's maps that DVC's cache or remote has, if all else they rest on is as it is now, or None."""
    objects, current = workspace.objects, workspace.lock
    now = entry(current, "area")
    for lock in (version.lock, current):
        own = entry(lock, "area")
        same = own and _without_maps(own) == _without_maps(now) and own.get("params") == now.get("params")
        if same and dep_md5(lock, "area", "model.onnx") == version.model_md5:
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
        f"artifacts/predict/{year}/{name}": path for year, one in cached.items() for name, path in one.files.items()
    }


def _place(files: Mapping[str, Path], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in files.items():
        (folder / name).symlink_to(path)


def _bands(path: Path) -> list[str]:
    with open_raster(path) as dataset:
        return [str(name) for name in dataset.descriptions]


def _said(cached: Sequence[Cached], made: int, *, areas_cached: bool) -> str:
    older = sum(one.by_other_code for one in cached)
    parts = [f"{len(cached)} maps from DVC's cache"] if cached else []
    parts += [f"{older} of them made by other code than the workspace's last run"] if older else []
    parts += [f"{made} maps made now"] if made else []
    return "; ".join([*parts, f"areas {'from the cache too' if areas_cached else 'measured now'}"])
