"""Reports of invented sites, made once for all tests."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

import pytest

from stages.common.run.stage import run_stage
from stages.report.contract import CONTRACT
from stages.report.report import report
from tests.report import report_inputs


def run_report(site: Path) -> Path:
    """Run the stage in a site's folder, contract checks included, and return the folder with the report."""
    with contextlib.chdir(site):
        run_stage(CONTRACT, report, year=None, log=logging.getLogger("report"))
    return site / "artifacts/report"


@pytest.fixture(scope="session")
def nine_years(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report of nine simulated Sentinel-2 years, 2019 missing, 2021 cloudy, a gate failed."""
    return run_report(report_inputs.make_artifacts(tmp_path_factory.mktemp("nine"), storage="sentinel2"))


@pytest.fixture(scope="session")
def one_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Report of one real (not marked as simulated) 8-bit year."""
    return run_report(report_inputs.make_artifacts(tmp_path_factory.mktemp("one"), (2024,), simulated=False))
