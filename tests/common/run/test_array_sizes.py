"""What an archive of arrays claims to hold."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from stages.common.run.array_sizes import check_array_sizes
from stages.common.run.outputs import write_arrays


def test_arrays_as_they_are_written_are_accepted(tmp_path: Path) -> None:
    write_arrays(
        tmp_path / "a.npz", {"a": np.zeros((50, 64, 64, 3), "uint8"), "b": np.arange(3), "c": np.zeros((0, 7))}
    )
    check_array_sizes(tmp_path / "a.npz")


@pytest.mark.parametrize("shape", [(10_000, 1000, 1000), (2**40, 2**40), (3,)])
def test_a_header_that_claims_what_is_not_there_is_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<u2", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", header.getvalue())
    with pytest.raises(ValueError, match="claims"):
        check_array_sizes(tmp_path / "a.npz")
