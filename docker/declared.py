"""Access of a stage as `dvc.yaml` declares it: all that its container may see, and all that it may write."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from stages.common import settings
from stages.common.errors import ParamsError, did_you_mean
from stages.common.params.schema import load_params
from stages.common.run.documents import read_yaml

INSIDE = PurePosixPath("/site")
"""Path of the site's folder in a container."""

IN_THE_IMAGE = ("stages/", "docker/")
"""Dependencies that an image is made of; the others are data."""

SIDE_EFFECTS = {"track": ("data.dvc",)}
"""Files that a stage with a side effect reads beside its dependencies, to record where the run came from."""


@dataclass(frozen=True, kw_only=True)
class Declared:
    """A stage with its year, and the paths that it reads and writes, relative to the site's folder."""

    name: str
    """Name of the stage as DVC writes it: ``predict@2020``."""
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    optional: tuple[str, ...] = ()
    """Paths that are read where they exist."""
    variables: tuple[str, ...] = ()
    """Environment variables that its paths contain."""
    engine: str = ""
    """What `predict` maps with."""

    @property
    def stage(self) -> str:
        """Name without the year."""
        return self.name.partition("@")[0]

    @property
    def writable(self) -> tuple[str, ...]:
        """Topmost folders that outputs lie in; ``.`` where an output lies in the site's folder itself."""
        tops = {PurePosixPath(path).parts[0] if "/" in path else "." for path in self.writes}
        return (".",) if "." in tops else tuple(sorted(tops))


def place_inside(path: str) -> PurePosixPath:
    """Return where the stage sees a path that is absolute, or relative to the site's folder."""
    return PurePosixPath(os.path.normpath(INSIDE / path))


def stage_name(command: Sequence[str]) -> str:
    """Return the stage's name: from the command ``python -m stages.<stage> [--year <year>]``, else from DVC.

    A variable of DVC may be left in the shell by another stage.

    Raises
    ------
    ParamsError
        Neither names a stage.
    """
    match = re.search(r"-m stages\.(\w+)(?:.* --year[ =](\d+))?", " ".join(command))
    if match is None and (name := settings.get(settings.DVC_STAGE, "")):
        return name.rpartition(":")[2]
    if match is None:
        raise ParamsError(
            "the stage is unknown",
            where=settings.DVC_STAGE,
            expected="DVC's name of the stage, or a command `python -m stages.<stage>`",
            found=" ".join(command) or "nothing",
            fix="run it with `dvc repro`",
        )
    return f"{match[1]}@{match[2]}" if match[2] else match[1]


def declared_stage(name: str, site: Path) -> Declared:
    """Return the stage `name` as the site's ``dvc.yaml`` and ``params.yaml`` declare it.

    Raises
    ------
    ParamsError
        There is no such stage, or a parameter that its paths contain is absent.
    """
    params = _load(site / "params.yaml")
    if name == "ingest":
        return _ingest(site)
    stage, _, item = name.partition("@")
    stages = _load(site / "dvc.yaml").get("stages", {})
    if stage not in stages:
        raise ParamsError(
            f"dvc.yaml has no such stage{did_you_mean(stage, stages)}",
            where=site / "dvc.yaml",
            expected=", ".join(stages),
            found=name,
            fix="run it with `dvc repro`",
        )
    spec = stages[stage]

    def fill(paths: Any) -> Iterator[str]:
        for path in paths:
            plain = next(iter(path)) if isinstance(path, dict) else path
            yield re.sub(r"\$\{([\w.\[\]]+)\}", lambda match: _value(match[1], params, item), plain)

    data = [path for path in fill(spec.get("deps", [])) if not path.startswith(IN_THE_IMAGE)]
    engine = ""
    if stage == "train":  # folders whose content params.yaml pins
        data += load_params(site / "params.yaml").train.folders_beyond
    if stage == "predict":
        engine = load_params(site / "params.yaml").predict.engine
    return Declared(
        name=name,
        reads=tuple(dict.fromkeys(("params.yaml", *data))),  # a year may be named by two dependencies
        writes=(*fill(spec.get("metrics", [])), *fill(spec.get("outs", []))),
        optional=SIDE_EFFECTS.get(stage, ()),
        engine=engine,
    )


def _ingest(site: Path) -> Declared:
    """Declare `ingest`, which is no stage of the DAG: it reads the files that its parameters name, and writes the data.

    Raises
    ------
    ParamsError
        The parameters break their schema, or name an environment variable that is not set.
    """
    texts = load_params(site / "params.yaml").ingest.file_paths()
    paths = [Path(settings.expand(text, where="ingest")) for text in texts]
    return Declared(
        name="ingest",
        reads=("params.yaml",),
        writes=("data.dvc", "data"),
        optional=_outermost([_with_neighbours(path, site) for path in paths if (site / path).exists()]),
        variables=tuple(sorted({name for text in texts for name in settings.variables_in(text)})),
    )


def _with_neighbours(path: Path, site: Path) -> Path:
    """Return the folder of a file, whose neighbours come with it: a Shapefile is several files.

    The file alone where its folder is the site's own, or holds it.
    """
    folder = path.parent
    return path if (site / path).is_dir() or site.resolve().is_relative_to((site / folder).resolve()) else folder


def _outermost(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the paths, each place once, without those that lie within another one."""
    places = {place_inside(str(path)): str(path) for path in paths}
    return tuple(path for place, path in places.items() if not any(parent in places for parent in place.parents))


def _value(path: str, params: dict[str, Any], item: str) -> str:
    if path.startswith("item."):
        return item
    value: Any = params
    for key in re.findall(r"\w+", path):  # as DVC writes it: grid.origin_m[0]
        if isinstance(value, list):
            value = value[int(key)] if key.isdigit() and int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    if value is None:
        raise ParamsError("a parameter is absent", where="params.yaml", expected=path, found="nothing")
    return str(value)


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ParamsError(
            f"{path.name} is absent", where=path.parent, expected="a site's folder", fix="run it in a site's folder"
        )
    return read_yaml(path)
