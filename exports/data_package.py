"""Tables as a Data Package: the schema of each table follows from the pydantic model of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

TYPES = {"integer": "integer", "number": "number", "string": "string", "boolean": "boolean"}
CONSTRAINTS = {"minimum": "minimum", "maximum": "maximum", "pattern": "pattern", "enum": "enum"}
"""Names in JSON Schema, and those of Table Schema."""


def resource(path: str, row: type[BaseModel], *, description: str, primary_key: Sequence[str] = ()) -> dict[str, Any]:
    """Return a resource of datapackage.json: a CSV file in the package, with the schema of its rows.

    Parameters
    ----------
    path
        Relative to datapackage.json.
    """
    schema: dict[str, Any] = {"fields": fields_of(row), "missingValues": [""]}
    if primary_key:
        schema["primaryKey"] = list(primary_key)
    return {
        "name": path.removesuffix(".csv").replace("/", "-").replace("_", "-"),
        "path": path,
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "description": description,
        "schema": schema,
    }


def package(name: str, *, title: str, resources: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
    """Return the content of datapackage.json (Data Package, version 1)."""
    return {"profile": "tabular-data-package", "name": name, "title": title, "resources": list(resources), **more}


def fields_of(row: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the fields of a table: name, type, constraints and, where there is one, the description."""
    schema = row.model_json_schema()
    required = set(schema.get("required", []))
    return [_field(name, entry, required=name in required) for name, entry in schema["properties"].items()]


def _field(name: str, entry: Mapping[str, Any], *, required: bool) -> dict[str, Any]:
    kinds = [kind for kind in entry.get("anyOf", [entry]) if kind.get("type") != "null"]
    kind = kinds[0]
    field: dict[str, Any] = {"name": name, "type": TYPES.get(kind.get("type", "string"), "string")}
    if kind.get("format") == "date":
        field["type"] = "date"
    if description := entry.get("description"):
        field["description"] = description
    constraints = {target: kind[key] for key, target in CONSTRAINTS.items() if key in kind}
    if required and len(kinds) == len(entry.get("anyOf", [entry])):
        constraints["required"] = True
    return field | ({"constraints": constraints} if constraints else {})
