"""The schema of ``regions/<name>/params.yaml``: that of a site, and the section ``region``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import Field, ValidationError

from stages.common.errors import ParamsError
from stages.common.params.ingest import BoxParams, FileParams
from stages.common.params.schema import Params
from stages.common.params.section import Section
from stages.common.yaml_text import load_yaml
from stages.ingest.input_files import resolve_path
from stages.ingest.sources.choose import source_for

ANYWHERE: dict[str, Any] = {"bounds": [86.0, 27.0, 87.0, 28.0], "crs": "EPSG:4326"}
"""AOI that stands for a cell's while the parameters are checked; each cell gets its own."""

SECTION = "region"

Model = TypeVar("Model", bound=Section)


class RegionSection(Section):
    """How a region is cut into cells, what maps them, and where the results go."""

    model: Annotated[
        str, Field(description="ONNX model that maps every cell: a champion or a downloaded registered version")
    ]
    results: Annotated[str, Field(min_length=1, description="folder, or an address such as s3://bucket/path")]
    cell_km: Annotated[float, Field(ge=1, le=100, description="side of a cell before glaciers widen it")] = 20.0
    margin_m: Annotated[float, Field(ge=0, le=20000, description="ground kept around the glaciers of a cell")] = 2000.0
    scheduler: Annotated[
        str | None,
        Field(pattern=r"^(tcp|tls|ws|wss)://", description="address of a scheduler; none: this machine"),
    ] = None
    workers: Annotated[int | None, Field(ge=1, le=1024, description="processes; none: one a core")] = None
    worker_memory_gib: Annotated[float, Field(gt=0.1, description="a worker beyond this is started again")] = 1.5
    catalogue_cells: Annotated[int, Field(ge=1, description="cells that ask the catalogue at the same time")] = 4
    attempts: Annotated[
        int, Field(ge=1, le=10, description="times that a cell is tried before it counts as failed")
    ] = 3


@dataclass(frozen=True)
class RegionParams:
    """Parameters of a region."""

    folder: Path
    """Folder that relative paths start from: that of params.yaml."""
    region: RegionSection
    site: dict[str, Any]
    """What all cells share: the sites' schema without ``grid.crs``, and without ``ingest.aoi``."""
    aoi: FileParams | BoxParams | None
    """Where the region's glaciers lie; None: everywhere in the file of outlines."""

    @property
    def name(self) -> str:
        """Name of the region."""
        return str(self.site["site"]["name"])

    @property
    def checked(self) -> Params:
        """The parameters of a cell anywhere, defaults filled in."""
        return Params.model_validate(_anywhere(self.site))

    def cell_site(self, name: str, *, crs: str, bounds: tuple[float, float, float, float]) -> dict[str, Any]:
        """Return params.yaml of the site that a cell is; `bounds` in metres of `crs`: left, bottom, right, top."""
        grid, ingest, site = (self.site[section] for section in ("grid", "ingest", "site"))
        return self.site | {
            "site": site | {"name": f"{site['name']}-{name}"},
            "grid": grid | {"crs": crs},
            "ingest": ingest | {"aoi": {"bounds": list(bounds), "crs": crs}},
        }

    def path(self, text: str, *, where: str) -> Path:
        """Return a path of params.yaml: from the region's folder, with ``$NAME`` replaced."""
        return (self.folder / resolve_path(text, where=where)).absolute()


def load_region(folder: Path) -> RegionParams:
    """Read and check ``params.yaml`` in a region's folder.

    Raises
    ------
    ParamsError
        The file is absent, is not valid YAML, or breaks the schema; every key that breaks it is named.
    """
    path = folder / "params.yaml"
    content = _read(path)
    site = {name: value for name, value in content.items() if name != SECTION}
    ingest, grid = site.get("ingest"), site.get("grid")
    if isinstance(grid, dict) and "crs" in grid:
        raise ParamsError(
            "a region has no CRS of its own", where=f"{path}: grid.crs", expected="none: each cell is in its UTM zone",
            found=grid["crs"], fix="remove grid.crs",
        )  # fmt: skip
    aoi = ingest.get("aoi") if isinstance(ingest, dict) else None
    problems: list[str] = []
    section = _checked(RegionSection, content.get(SECTION), SECTION, problems)
    place = _checked(_Place, {"aoi": aoi}, "ingest", problems)
    cell = _checked(Params, _anywhere(site), "", problems)
    if problems or section is None or place is None or cell is None:
        raise ParamsError(
            f"{len(problems)} parameter(s) break the schema", where=path, found="; ".join(problems),
            fix="correct params.yaml (docs/region.md): the schema is that of a site, and the section region",
        )  # fmt: skip
    if cell.ingest.source != "twin" and cell.ingest.outlines is None:
        raise ParamsError(
            "the region has no outlines", where=f"{path}: ingest.outlines", expected="path: a file of RGI 6 or 7",
            found="nothing", fix="name the file of outlines (docs/data.md)",
        )  # fmt: skip
    if cell.ingest.source == "twin":
        raise ParamsError(
            "a twin is one site, and cannot be cut into cells", where=f"{path}: ingest.source",
            expected="stac, safe or raster", found="twin", fix="name a source of imagery",
        )  # fmt: skip
    source_for(cell)  # what it refuses, every cell would
    shared = site | {"ingest": {name: value for name, value in site["ingest"].items() if name != "aoi"}}
    return RegionParams(folder, section, shared, place.aoi)


class _Place(Section):
    aoi: FileParams | BoxParams | None = None


def _anywhere(site: dict[str, Any]) -> dict[str, Any]:
    filled = dict(site)
    if isinstance(site.get("grid"), dict):
        filled["grid"] = site["grid"] | {"crs": "EPSG:32645"}
    if isinstance(site.get("ingest"), dict):
        filled["ingest"] = site["ingest"] | {"aoi": ANYWHERE}
    return filled


def _checked(model: type[Model], value: Any, where: str, problems: list[str]) -> Model | None:
    """Return the part of the parameters, or None, and add what breaks its schema to `problems`."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        for problem in error.errors():
            place = ".".join(filter(None, (where, *map(str, problem["loc"]))))
            problems.append(f"{place or 'params'}: {problem['msg']}")
        return None


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ParamsError(
            "there is no such region", where=path, expected="params.yaml of a region", found="nothing",
            fix="REGION=<name> of a folder regions/<name> (docs/region.md)",
        )  # fmt: skip
    try:
        content = load_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParamsError("params.yaml is not valid YAML", where=path, found=" ".join(str(error).split())) from error
    if not isinstance(content, dict):
        raise ParamsError(
            "params.yaml is no mapping", where=path, found=type(content).__name__, fix="see docs/region.md"
        )
    return content
