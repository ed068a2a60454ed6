"""Vendored files are those of the lock, and the page's policy lets its own scripts run and nothing else."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path

from stages.report.page.scripts import VENDORED, leaflet_licence, leaflet_style


def test_vendored_files_are_those_of_the_lock() -> None:
    lock = json.loads((VENDORED / "lock.json").read_text(encoding="utf-8"))
    locked = {name: sha256 for package in lock.values() for name, sha256 in package["sha256"].items()}
    present = {path.name for path in VENDORED.iterdir()} - {"lock.json"}
    assert present == set(locked)
    assert {name: hashlib.sha256((VENDORED / name).read_bytes()).hexdigest() for name in locked} == locked
    assert f"Leaflet {lock['leaflet']['version']}," in (VENDORED / "leaflet.js").read_text(encoding="utf-8")[:200]
    assert all(package["version"] and package["licence"] for package in lock.values())


def test_the_page_carries_the_licence(nine_years: Path) -> None:
    assert leaflet_licence() in (nine_years / "index.html").read_text(encoding="utf-8")


def test_the_style_loads_nothing() -> None:
    assert "url(" not in leaflet_style()
    assert ".leaflet-container" in leaflet_style()


def test_the_policy_names_the_scripts_of_the_page_alone(nine_years: Path) -> None:
    page = (nine_years / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode() for script in scripts}
    assert len(scripts) == 2
    assert set(re.findall(r"sha256-([\w+/=]+)", policy[1])) == hashes
    assert "unsafe-inline" not in policy[1].partition("script-src")[2]
