"""The policy of the report's page lets its own scripts run and nothing else, and the page carries Leaflet's licence."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from pathlib import Path

from stages.common.web_map.scripts import leaflet_licence


def test_the_page_carries_the_licence(nine_years: Path) -> None:
    assert leaflet_licence() in (nine_years / "index.html").read_text(encoding="utf-8")


def test_the_policy_names_the_scripts_of_the_page_alone(nine_years: Path) -> None:
    page = (nine_years / "index.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode() for script in scripts}
    assert len(scripts) == 2
    assert set(re.findall(r"sha256-([\w+/=]+)", policy[1])) == hashes
    assert "unsafe-inline" not in policy[1].partition("script-src")[2]
