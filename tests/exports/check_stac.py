"""Validate STAC files with the schemas of this folder, without a network: ``python check_stac.py <file>...``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pystac
from pystac.validation.stac_validator import JsonSchemaSTACValidator

SCHEMAS = Path(__file__).with_name("schemas")


def main(paths: list[str]) -> None:
    """Raise unless each file is valid by the core schemas and by those of every extension that it names."""
    validator = JsonSchemaSTACValidator()
    for path in SCHEMAS.glob("*.json"):
        schema = json.loads(path.read_text())
        validator.schema_cache[schema["$id"].rstrip("#")] = schema
    for name in paths:
        content = json.loads(Path(name).read_text())
        kind = pystac.STACObjectType.COLLECTION if content["type"] == "Collection" else pystac.STACObjectType.ITEM
        extensions = content.get("stac_extensions", [])
        pystac.validation.validate_dict(content, kind, extensions=extensions, validator=validator)
        print(Path(name).name, len(extensions))


if __name__ == "__main__":
    main(sys.argv[1:])
