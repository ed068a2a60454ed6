"""Kinds of artefact: what a file must be, as a check that runs and as a JSON Schema that is printed.

A kind depends on no stage. The artefacts of this project are made from the kinds in `stages.common.tables.kinds`.
"""

from __future__ import annotations

import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from stages.common.errors import ContractError
from stages.common.run.array_sizes import check_array_sizes, read_array_headers
from stages.common.run.onnx_file import check_onnx
from stages.common.run.records import read_columns, read_document, read_rows, read_yaml_document

Schema = dict[str, Any]

UNREADABLE_ARRAYS = (
    OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error,
    NotImplementedError, RuntimeError,  # a spoilt flag asks for a compression, or for a password
    TypeError,  # a single array, without an archive around it
)  # fmt: skip
"""Errors of zipfile and NumPy where a file is not an archive of arrays, or a damaged one."""


@dataclass(frozen=True, kw_only=True)
class Artefact(ABC):
    """A file of a known kind."""

    summary: str
    """Content of the file, in one sentence."""
    optional: bool = False
    """Whether the file may be absent."""

    @abstractmethod
    def schema(self) -> Schema:
        """Return the JSON Schema of the file's header or content."""

    @abstractmethod
    def check(self, path: Path) -> None:
        """Raise `ContractError` unless the file at `path` is of this kind."""

    def describe(self) -> Schema:
        """Return the schema with the summary."""
        return {"description": self.summary, **self.schema()}


def check_entries(path: Path, expected: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
    """Raise `ContractError` at the first header entry that is not as expected (a tuple lists alternatives)."""
    for key, value in expected.items():
        allowed = value if isinstance(value, tuple) else (value,)
        if actual[key] not in allowed:
            raise ContractError(
                f"the {key} of {path.name} is not what its contract says",
                where=path,
                expected=" or ".join(map(str, allowed)),
                found=actual[key],
                fix="run the stage that makes it again; if it is your own file, convert it",
            )


@dataclass(frozen=True, kw_only=True)
class Raster(Artefact):
    """A single GeoTIFF on the site's grid, or (grid_bound=False) on its own."""

    dtype: str | tuple[str, ...]
    bands: tuple[str, ...] = ()
    """Descriptions of the bands; empty: not checked."""
    nodata: float | tuple[float | None, ...] | None = None
    scale: float | None = None
    offset: float | None = None
    values: tuple[int, ...] = ()
    """Values that may occur; empty: any."""
    cog: bool = True
    grid_bound: bool = True

    def expected(self) -> dict[str, Any]:
        """Return the header entries that the contract fixes."""
        entries: dict[str, Any] = {"driver": "GTiff", "dtype": self.dtype, "nodata": self.nodata}
        optional = {"bands": list(self.bands), "scale": self.scale, "offset": self.offset}
        entries |= {key: value for key, value in optional.items() if value not in ([], None)}
        return entries | ({"layout": "COG"} if self.cog else {})

    def schema(self) -> Schema:
        """Return the JSON Schema of the header, and of the pixel values where they are listed."""
        properties: Schema = {
            key: {"enum": list(value)} if isinstance(value, tuple) else {"const": value}
            for key, value in self.expected().items()
        }
        if self.values:
            properties["values"] = {"items": {"enum": list(self.values)}}
        if self.grid_bound:
            properties["grid"] = {"description": "CRS, origin, pixel size and extent of the site's one grid"}
        return {"type": "object", "contentMediaType": "image/tiff; application=geotiff", "properties": properties}

    def check(self, path: Path) -> None:
        """Compare the header, and scan the pixels where their values are listed."""
        from stages.common.geo.raster import gdal_env, open_raster, require_whole

        with gdal_env(), open_raster(path) as dataset:
            require_whole(dataset, path)
            header = {
                "driver": dataset.driver,
                "dtype": dataset.dtypes[0],
                "nodata": dataset.nodata,
                "bands": list(dataset.descriptions),
                "scale": dataset.scales[0],
                "offset": dataset.offsets[0],
                "layout": dataset.tags(ns="IMAGE_STRUCTURE").get("LAYOUT", "striped or tiled"),
            }
            check_entries(path, self.expected(), header)
            if self.values:
                self._check_values(path, dataset)

    def _check_values(self, path: Path, dataset: Any) -> None:
        import numpy as np

        from stages.common.geo.raster import refuse_unreadable

        for _, window in dataset.block_windows(1):
            with refuse_unreadable(path):
                pixels = dataset.read(window=window)
            is_listed = np.logical_or.reduce([pixels == value for value in self.values])
            if not is_listed.all():
                raise ContractError(
                    "a raster holds values that its contract does not list",
                    where=path,
                    expected=f"only {self.values}",
                    found=np.unique(pixels[~is_listed]).tolist()[:5],
                    fix="run the stage that makes it again",
                )


@dataclass(frozen=True, kw_only=True)
class Table(Artefact):
    """A CSV file; every row is validated against `row`, and the columns are exactly its fields."""

    row: type[BaseModel]

    def schema(self) -> Schema:
        """Return the JSON Schema of the list of rows."""
        return {"type": "array", "contentMediaType": "text/csv", "items": self.row.model_json_schema()}

    def check(self, path: Path) -> None:
        """Compare the columns and validate each row."""
        check_entries(path, {"columns": list(self.row.model_fields)}, {"columns": read_columns(path)})
        read_rows(path, self.row)


@dataclass(frozen=True, kw_only=True)
class Json(Artefact):
    """A JSON file validated against a pydantic model."""

    model: type[BaseModel]

    def schema(self) -> Schema:
        """Return the JSON Schema of the document."""
        return self.model.model_json_schema()

    def check(self, path: Path) -> None:
        """Parse and validate."""
        read_document(path, self.model)


@dataclass(frozen=True, kw_only=True)
class Yaml(Json):
    """A YAML file validated against a pydantic model."""

    def check(self, path: Path) -> None:
        """Parse and validate."""
        read_yaml_document(path, self.model)


@dataclass(frozen=True, kw_only=True)
class Vector(Artefact):
    """A GeoPackage with polygons or lines, and certain columns."""

    columns: tuple[str, ...]
    geometry: Literal["MultiPolygon", "LineString"] = "MultiPolygon"
    may_be_empty: bool = False

    def schema(self) -> Schema:
        """Return the JSON Schema of the features."""
        properties = {"columns": {"contains": {"enum": list(self.columns)}}, "geometry": {"const": self.geometry}}
        return {"type": "object", "contentMediaType": "application/geopackage+sqlite3", "properties": properties}

    def check(self, path: Path) -> None:
        """Read the features; compare columns, CRS and geometry types."""
        from stages.common.geo.vectors import read_features

        frame = read_features(path)
        missing = [name for name in self.columns if name not in frame.columns]
        kinds = sorted(set(frame.geom_type) - {self.geometry, self.geometry.removeprefix("Multi")})
        check_entries(
            path,
            {"missing columns": [], "other geometries": []},
            {"missing columns": missing, "other geometries": kinds},
        )
        if not self.may_be_empty:
            check_entries(path, {"is empty": False}, {"is empty": len(frame) == 0})


@dataclass(frozen=True, kw_only=True)
class Arrays(Artefact):
    """An npz file of named arrays."""

    arrays: Mapping[str, tuple[tuple[str, ...], int]]
    """Permitted dtypes and number of dimensions of each array, by name; all share their first dimension."""

    def schema(self) -> Schema:
        """Return the JSON Schema of the arrays' headers."""
        properties = {
            name: {"dtype": {"enum": list(dtypes)}, "ndim": {"const": ndim}}
            for name, (dtypes, ndim) in self.arrays.items()
        }
        return {"type": "object", "contentMediaType": "application/zip", "properties": properties}

    def check(self, path: Path) -> None:
        """Compare names, dtypes and dimensions."""
        try:
            check_array_sizes(path)
            self._check_arrays(path, read_array_headers(path))
        except UNREADABLE_ARRAYS as error:
            raise ContractError(
                "the file is not readable as arrays",
                where=path,
                expected="an npz file",
                found=" ".join(str(error).split())[:300],
                fix="run the stage that makes it again, or `dvc pull` it",
            ) from error

    def _check_arrays(self, path: Path, headers: Mapping[str, tuple[tuple[int, ...], str]]) -> None:
        check_entries(path, {"arrays": sorted(self.arrays)}, {"arrays": sorted(headers)})
        lengths = set()
        for name, (dtypes, ndim) in self.arrays.items():
            shape, dtype = headers[name]
            check_entries(path, {f"dtype of {name}": tuple(dtypes)}, {f"dtype of {name}": dtype})
            check_entries(path, {f"dimensions of {name}": ndim}, {f"dimensions of {name}": len(shape)})
            lengths.add(shape[0])
        check_entries(path, {"number of lengths": (0, 1)}, {"number of lengths": len(lengths)})


@dataclass(frozen=True, kw_only=True)
class Model(Artefact):
    """An ONNX file; nothing of it is run here."""

    def schema(self) -> Schema:
        """Return the JSON Schema: the media type."""
        return {"contentMediaType": "application/onnx"}

    def check(self, path: Path) -> None:
        """Look into the file."""
        check_onnx(path)


@dataclass(frozen=True, kw_only=True)
class Blob(Artefact):
    """A file that its first bytes identify (PNG, GIF, HDF5, HTML)."""

    media_type: str
    magic: Sequence[bytes]

    def schema(self) -> Schema:
        """Return the JSON Schema: the media type."""
        return {"contentMediaType": self.media_type}

    def check(self, path: Path) -> None:
        """Compare the first bytes."""
        head = path.read_bytes()[:64] if path.is_file() else b""
        if not any(head.startswith(magic) for magic in self.magic):
            raise ContractError(
                "the file is not of the kind that its contract says",
                where=path,
                expected=self.media_type,
                found=head[:16] or "nothing",
                fix="run the stage that makes it again",
            )
