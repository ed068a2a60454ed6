"""Vendored files are those of the lock, and what stands in a page of them loads nothing."""

from __future__ import annotations

import hashlib
import json

from stages.common.web_map.scripts import VENDORED, leaflet_style


def test_vendored_files_are_those_of_the_lock() -> None:
    lock = json.loads((VENDORED / "lock.json").read_text(encoding="utf-8"))
    locked = {name: sha256 for package in lock.values() for name, sha256 in package["sha256"].items()}
    present = {path.name for path in VENDORED.iterdir()} - {"lock.json"}
    assert present == set(locked)
    assert {name: hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() for name in locked} == locked
    assert f"Leaflet {lock['leaflet']['version']}," in (VENDORED / "leaflet.js").read_text(encoding="utf-8")[:200]
    assert all(package["version"] and package["licence"] for package in lock.values())


def test_the_style_loads_nothing() -> None:
    assert "url(" not in leaflet_style()
    assert ".leaflet-container" in leaflet_style()
