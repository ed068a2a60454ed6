"""Hostile and broken input at every door: refused with exit code 2 and a message, and nothing outside is touched.

This is a part of the table; ``python -m tests.hostile`` runs all of it, each case in a process of its own.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import made_once
from tests.hostile.case import Case, attempt
from tests.hostile.table import CASES, KINDS, build, quick

CASES_MIN = 300


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One site of each kind. Never changed."""
    return {kind: made_once(tmp_path_factory, f"hostile-{kind}", partial(build, kind)) for kind in KINDS}


def test_the_table_has_every_door_and_no_case_twice() -> None:
    labels = Counter(case.label for case in CASES)
    assert len(CASES) >= CASES_MIN
    assert [label for label, count in labels.items() if count > 1] == []
    assert {case.door for case in quick()} == {case.door for case in CASES}


@pytest.mark.enable_socket
@pytest.mark.filterwarnings("ignore")  # GDAL, pystac and MLflow warn of what the table feeds them
@pytest.mark.parametrize("case", quick(), ids=lambda case: case.label)
def test_hostile_input_is_refused_and_nothing_else_is_touched(
    case: Case, bases: dict[str, Path], tmp_path: Path
) -> None:
    assert attempt(case, bases[case.base], tmp_path).problems == []
