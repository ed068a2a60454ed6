"""The tools that `bin/formats` installs, in their own environment."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

from stages.common.types import UInt8Array

CHECK_STAC = Path(__file__).with_name("check_stac.py")
PYTHON = Path(__file__).resolve().parents[2] / ".venv-formats/bin/python"


def run(code: str, *arguments: object) -> str:
    """Run Python code with the tools and return what it prints; it must succeed, and it reaches no network."""
    assert PYTHON.exists(), "run bin/formats"
    result = subprocess.run(
        [str(PYTHON), "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


def check_data_package(path: Path) -> None:
    """Validate a Data Package, every row of it, by frictionless."""
    run(
        "import sys, frictionless; report = frictionless.validate(sys.argv[1]); "
        "sys.exit(0 if report.valid else str(report.flatten(['rowNumber', 'fieldName', 'message'])[:5]))",
        path,
    )


def check_stac(*paths: Path) -> None:
    """Validate STAC files by the schemas of the core and of each extension, all of them here."""
    run("import runpy, sys; runpy.run_path(sys.argv.pop(1), run_name='__main__')", CHECK_STAC, *paths)


def check_geoparquet(path: Path) -> None:
    """Validate a GeoParquet file by the rules of its version, and by the advice on how to hand it on."""
    checker = PYTHON.with_name("geoparquet-validator")
    assert checker.exists(), "run bin/formats"
    result = subprocess.run([checker, "check", path], capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stdout
    assert "covering: " in result.stdout


GEOJSON = """
import json, pathlib, sys
import jsonschema, pystac.validation, referencing
folder = pathlib.Path(pystac.validation.__file__).parent / "jsonschemas/geojson"
schemas = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
resources = [(schema["$id"], referencing.Resource.from_contents(schema)) for schema in schemas.values()]
validator = jsonschema.Draft7Validator(schemas["Feature"], registry=referencing.Registry().with_resources(resources))
collection = json.loads(pathlib.Path(sys.argv[1]).read_text())
assert collection["type"] == "FeatureCollection"
for feature in collection["features"]:
    validator.validate(feature)
print(len(collection["features"]))
"""
"""Validate each feature of a GeoJSON file by the schema of geojson.org, which comes with pystac."""


def check_geojson(path: Path) -> int:
    """Validate a GeoJSON file; return the number of its features."""
    return int(run(GEOJSON, path))


def check_prov(path: Path) -> int:
    """Read PROV-JSON by the library prov and write it as PROV-N; return the number of records."""
    return int(
        run(
            "import sys, prov.model; document = prov.model.ProvDocument.deserialize(sys.argv[1], format='json'); "
            "assert document.get_provn(); print(len(document.get_records()))",
            path,
        )
    )


GEODEEP = """
import sys
import numpy as np
import geodeep
from geodeep.utils import median_filter
scene, model, mask, target = sys.argv[1:]
mapped = geodeep.segment(scene, model, max_threads=1)
np.savez(target, mapped=mapped, smoothed=median_filter(np.load(mask), 5))
"""
"""Map a scene with GeoDeep, and smooth a mask as GeoDeep smooths its own."""


def geodeep(scene: Path, model: Path, mask: UInt8Array, folder: Path) -> tuple[UInt8Array, UInt8Array]:
    """Return GeoDeep's map of a scene, and `mask` after GeoDeep's smoothing; both (H, W) uint8, 1 is glacier."""
    np.save(folder / "mask.npy", mask)
    run(GEODEEP, scene, model, folder / "mask.npy", folder / "maps.npz")
    with np.load(folder / "maps.npz") as maps:
        return maps["mapped"], maps["smoothed"]
