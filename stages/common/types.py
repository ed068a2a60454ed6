"""Names for the arrays that travel between functions."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]
UInt16Array = NDArray[np.uint16]
Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.integer[Any]]
AnyArray = NDArray[Any]


class Rows(Protocol):
    """(H, W) pixels that are read by rows: an array, or what holds less in memory (`stages.common.geo.planes`)."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a pixel."""
        ...

    def __getitem__(self, rows: slice, /) -> AnyArray: ...
