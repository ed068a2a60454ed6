"""The blocks of a new site: 25 of them, with every fold's training, validation and test pixels counted beforehand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from setup.lines import Line
from setup.place import Place
from stages.common.errors import InputError
from stages.common.geo.planes import Bits
from stages.common.geo.vectors import pixels_inside
from stages.common.model.split import TEST, TRAIN, VALIDATION
from stages.common.params.learning import PatchesParams
from stages.common.types import BoolArray, UInt16Array
from stages.labels.rasterise import glacier_ids
from stages.patches.roles import pixel_roles

BLOCKS = 5
"""Blocks along each side: with five folds each fold has five of them, no two of which touch."""

BUFFERS_PX = (32, 16, 8, 4)
"""Widths of the hidden ground around held-out blocks, best first: the wider, the less a test pixel resembles one of
training."""

BLOCK_TO_BUFFER = 4
"""Least side of a block in widths of the buffer: with less, hardly any ground is left to train on."""

LEAST_PX = 50
"""Fewest pixels of ice, and of other ground, that a part of the split needs to say anything."""

LEAST_BLOCK_PX = 8
"""Smallest block that the schema takes."""

SIZES = ((512, 256), (256, 128), (0, 64))
"""Shorter side of the site from which patches have a size, both in pixels. The network needs multiples of 32."""

PARTS = {"training": TRAIN, "validation": VALIDATION, "test": TEST}


@dataclass(frozen=True, kw_only=True)
class Split:
    """The `patches` section, and what was found for it."""

    lines: dict[str, Line]
    size_px: int


def choose_split(place: Place) -> Split:
    """Return blocks, buffer and patches with which the folds can be trained and tested.

    The widest buffer with which every fold has ice and other ground in each part is taken; else the widest with which
    at least one fold does, which then is the test fold.

    Raises
    ------
    InputError
        No buffer leaves any fold enough of both.
    """
    rows, columns = (math.ceil(side / BLOCKS) for side in place.grid.shape)
    if min(rows, columns) < LEAST_BLOCK_PX:
        raise _too_small(place, f"blocks of {rows} x {columns} px, at least {LEAST_BLOCK_PX} px are needed")
    ids = glacier_ids(list(place.outlines.geometry), place.grid)
    aoi = pixels_inside([place.aoi_shape], place.grid)
    ids = np.asarray(ids * aoi, dtype=np.uint16)
    tried = {}
    for buffer_px in [buffer for buffer in BUFFERS_PX if BLOCK_TO_BUFFER * buffer <= max(min(rows, columns), 16)]:
        tried[buffer_px] = dict(_lacks(ids, aoi, rows, columns, buffer_px))
        if not any(tried[buffer_px].values()):
            return _split(place, rows, columns, buffer_px, fold=0, lacks=tried[buffer_px])
    for buffer_px, lacks in tried.items():
        if fitting := [fold for fold, lack in lacks.items() if not lack]:
            return _split(place, rows, columns, buffer_px, fold=fitting[0], lacks=lacks)
    raise _too_small(place, f"with a buffer of {min(tried)} px, fold 0 has for {tried[min(tried)][0]}")


def _lacks(ids: UInt16Array, aoi: BoolArray, rows: int, columns: int, buffer_px: int) -> Iterator[tuple[int, str]]:
    """Yield each fold and what it lacks; nothing where it lacks nothing."""
    for fold in range(BLOCKS):
        params = PatchesParams(
            block_rows_px=rows, block_columns_px=columns, buffer_px=buffer_px,
            folds=BLOCKS, test_fold=fold, validation_fold=(fold + 1) % BLOCKS,
        )  # fmt: skip
        roles = pixel_roles(ids, Bits.of(aoi), params)
        counts = {
            f"{part}: {int((roles[ground] == role).sum())} px of {name}": int((roles[ground] == role).sum())
            for part, role in PARTS.items()
            for name, ground in (("ice", ids > 0), ("other ground", (ids == 0) & aoi))
        }
        yield fold, "; ".join(text for text, count in counts.items() if count < LEAST_PX)


def _split(place: Place, rows: int, columns: int, buffer_px: int, *, fold: int, lacks: dict[int, str]) -> Split:
    size = next(size for side, size in SIZES if min(place.grid.shape) >= side)
    lacking = [number for number, lack in lacks.items() if lack]
    whole = [number for number, lack in lacks.items() if not lack]
    lines = {
        "size_px": Line(size, f"the site is {place.grid.width} x {place.grid.height} px"),
        "stride_px": Line(size // 2, "half a patch"),
        "block_rows_px": Line(rows, f"{place.grid.height} px in {BLOCKS} blocks"),
        "block_columns_px": Line(columns, f"{place.grid.width} px in {BLOCKS} blocks"),
        "folds": Line(BLOCKS, "so that no two blocks of a fold touch"),
        "test_fold": Line(fold),
        "validation_fold": Line((fold + 1) % BLOCKS),
        "buffer_px": Line(
            buffer_px,
            f"counted: {LEAST_PX} px and more of ice and of other ground to train, validate and test in "
            + (f"folds {_listed(whole)}, not in {_listed(lacking)} ({lacks[lacking[0]]})" if lacking else "every fold"),
        ),
    }
    return Split(lines=lines, size_px=size)


def _listed(folds: Sequence[int]) -> str:
    return ", ".join(map(str, folds))


def _too_small(place: Place, actual: str) -> InputError:
    height, width = place.grid.shape
    size = place.grid.pixel_size_m
    return InputError(
        "the site is too small to be trained and tested on",
        where="make site",
        expected=f"{BLOCKS} x {BLOCKS} blocks, each fold with {LEAST_PX} px of ice and of other ground to train, "
        "validate and test",
        found=f"{width} x {height} px of {size:g} m, {len(place.outlines)} outlines; {actual}",
        fix="give scenes (or AOI=) of more ground with more glaciers; 640 px a side are enough as a rule",
    )
