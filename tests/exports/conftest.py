"""A site of nine invented years that could be handed on, made once; each test works on a copy."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages.common.run.outputs import write_json
from stages.common.run.records import read_rows
from stages.common.tables.area import AreaRow, AreaSeries, Gates, GlacierAreaRow
from tests.conftest import made_once
from tests.report import report_inputs

CONTACT = {
    "name": "Ada Example",
    "institution": "University of Example",
    "country": "NP",
    "wgms_ids": {"RGI60-15.00001": 1234},
    "references": ["Example (2024), doi:10.0000/none"],
}


def set_site(folder: Path, **values: Any) -> None:
    """Set entries of the section `site` of params.yaml."""
    content = yaml.safe_load((folder / "params.yaml").read_text())
    content["site"] |= values
    (folder / "params.yaml").write_text(yaml.safe_dump(content))


def make(folder: Path) -> None:
    report_inputs.make_artifacts(folder, simulated=False)
    gates = Gates.model_validate_json((folder / "artifacts/area/gates.json").read_text())
    passed = [finding.model_copy(update={"passed": True, "overridden": False}) for finding in gates.findings]
    write_json(folder / "artifacts/area/gates.json", Gates(findings=passed))
    series = AreaSeries(
        years=read_rows(folder / "artifacts/area/glacier_area_by_year.csv", AreaRow),
        glaciers=read_rows(folder / "artifacts/area/area_by_glacier.csv", GlacierAreaRow),
        glacier_trends=[],
    )
    write_json(folder / "artifacts/area/series.json", series)
    set_site(folder, contact=CONTACT)


@pytest.fixture(scope="session")
def finished_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site's folder, which nobody may change."""
    return made_once(tmp_path_factory, "exports", make)


@pytest.fixture
def site(finished_site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the site's folder, which is the working directory."""
    folder = tmp_path / "site"
    shutil.copytree(finished_site, folder)
    monkeypatch.chdir(folder)
    return folder
