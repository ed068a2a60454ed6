"""Ids of the rasters that params.yaml lists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stages.ingest.sources.raster import unique_ids

NAMES = st.text(st.sampled_from("aA-2.é ")) | st.text(max_size=300)
PATHS = st.lists(NAMES.map(lambda name: Path("folder", name.replace("/", "").replace("\0", "") + ".tif")), max_size=8)


def ids(*names: str) -> list[str]:
    return unique_ids([Path(name) for name in names])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["2020.tif", "2021.tif"], ["2020", "2021"]),
        (["x/a.tif", "y/a.tif", "z/a.tif"], ["a", "a-2", "a-3"]),
        (["x/a.tif", "y/a.tif", "a-2.tif"], ["a", "a-2", "a-2-2"]),
        (["a-2.tif", "x/a.tif", "y/a.tif"], ["a-2", "a", "a-3"]),
        (["A.tif", "a.tif"], ["A", "a-2"]),
        (["a b.tif", "a-b.tif"], ["a-b", "a-b-2"]),
        (["...tif", "-.tif", "é.tif"], ["scene", "scene-2", "scene-3"]),
    ],
)
def test_ids_are_the_names_of_the_files(names: list[str], expected: list[str]) -> None:
    assert ids(*names) == expected


@given(PATHS)
@example([Path("x/a.tif"), Path("y/a.tif"), Path("a-2.tif")])
def test_ids_are_unique_stable_and_names_of_files(paths: list[Path]) -> None:
    names = unique_ids(paths)
    assert len({name.lower() for name in names}) == len(paths)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name) and len(name) <= 220 for name in names)
    for count in range(len(paths)):
        assert unique_ids(paths[:count]) == names[:count]
