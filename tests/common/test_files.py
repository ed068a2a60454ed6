"""Paths that must not lead out of their folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from stages.common.errors import InputError
from stages.common.files import require_inside


@pytest.mark.parametrize("name", ["a.tif", "b/../a.tif", "./a"])
def test_a_path_within_is_accepted_also_where_it_is_a_link(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.tif").symlink_to("/dev/null")  # DVC links files into its cache
    require_inside(tmp_path / name, tmp_path)


@pytest.mark.parametrize("name", ["../a", "/etc/passwd", "b/../../a", "../x-beside"])
def test_a_path_that_leads_out_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="outside its folder"):
        require_inside(tmp_path / "x" / name, tmp_path / "x")
