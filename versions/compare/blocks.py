"""Both models' maps on the held-out blocks of the current split: which blocks count, and the areas in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stages.common.geo.raster import read_band, read_grid
from stages.common.model.split import BUFFER, OUTSIDE, TEST
from stages.common.params.schema import Params
from stages.common.run.flatten import flatten
from stages.common.run.records import file_md5
from stages.common.types import BoolArray, Float64Array, IntArray, UInt8Array
from versions.compare.difference import BOTH, ONLY_A, ONLY_B, UNSEEN
from versions.compare.flat import param_texts
from versions.compare.objects import out_md5
from versions.compare.tables import Block
from versions.compare.version import Version
from versions.compare.workspace import Workspace

STEP = 100_000
"""Block numbers are row x this + column."""

SPLIT_PARAMS = ("grid.", "labels.", "patches.")
"""Parameters that make the split, beside the data."""


@dataclass(frozen=True, kw_only=True)
class ComparableBlocks:
    """Where both versions can be scored: the test blocks that neither of them has learned from."""

    pixels: BoolArray
    """(H, W): pixels of these blocks."""
    number: IntArray
    """(H, W): row x `STEP` + column of the block."""
    left_out: int
    """Number of test blocks that one version has learned from."""
    unknown: str
    """Why it is not known what a version has learned from; empty where it is known."""


def comparable_blocks(versions: Sequence[Version], workspace: Workspace) -> ComparableBlocks:
    """Return the test blocks of the current split without those that one of the versions has learned from."""
    roles = read_band(workspace.split)
    number = numbered_blocks(roles.shape, workspace.params)
    test = np.asarray(roles == TEST)
    test_blocks = set(np.unique(number[test]).tolist())
    unknown = []
    for version in versions:
        own = own_split(version, workspace)
        if own is None:
            unknown.append(version.name)
            continue
        learned = (own != TEST) & (own != BUFFER) & (own != OUTSIDE)
        test = test & ~np.isin(number, np.unique(number[test & learned]))
    reason = f"it is not known which blocks {' and '.join(unknown)} learned from" if unknown else ""
    left_out = len(test_blocks - set(np.unique(number[test]).tolist()))
    return ComparableBlocks(pixels=test, number=number, left_out=left_out, unknown=reason)


def numbered_blocks(shape: tuple[int, ...], params: Params) -> IntArray:
    """Return row x `STEP` + column of each pixel's block, (H, W)."""
    rows, columns = (np.arange(side, dtype=np.int64) for side in shape)
    block = rows[:, None] // params.patches.block_rows_px * STEP + columns[None, :] // params.patches.block_columns_px
    return np.asarray(block)


def own_split(version: Version, workspace: Workspace) -> IntArray | None:
    """Return the roles (H, W) in the split that a version was trained with; None where unknown or on another grid.

    It is read from DVC's cache or remote; else it is the current split, where the data and the parameters that make it
    are the current ones.
    """
    md5s = (out_md5(version.lock, stage) for stage in sorted(version.lock) if stage.startswith("patches@"))
    files = workspace.objects.folder(md5) if (md5 := next(filter(None, md5s), None)) else None
    path = (files or {}).get("split.tif")
    if version.kind == "workspace" or (path is None and _same_split(version, workspace)):
        path = workspace.split
    if path is None or read_grid(path) != read_grid(workspace.split):
        return None
    return np.asarray(read_band(path), dtype=np.int64)


def _same_split(version: Version, workspace: Workspace) -> bool:
    """Whether the version's data and split parameters are the workspace's, which needs no model for that."""
    data_dvc = workspace.site / "data.dvc"
    if version.data_dvc_md5 != (file_md5(data_dvc) if data_dvc.is_file() else None):
        return False
    return _split_params(version.params) == _split_params(
        param_texts(flatten(workspace.params.model_dump(mode="json")))
    )


def _split_params(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name.startswith(SPLIT_PARAMS)}


def block_areas(
    classes: UInt8Array, labelled: BoolArray, blocks: ComparableBlocks, area_km2: Float64Array
) -> list[Block]:
    """Return a row per block with test pixels that both versions observed: what each map hits, and maps beyond, in km2.

    Parameters
    ----------
    classes
        (H, W): `versions.compare.difference.difference_classes` of both maps.
    labelled
        (H, W): labelled ice.
    area_km2
        (H, W): area of each pixel.
    """
    used = blocks.pixels & (classes != UNSEEN)
    numbers, index = np.unique(blocks.number[used], return_inverse=True)
    kind, ice, weights = classes[used], labelled[used], area_km2[used]

    def total(selected: BoolArray) -> list[float]:
        return [float(km2) for km2 in np.bincount(index, weights=weights * selected, minlength=len(numbers))]

    a, b = ((kind == alone) | (kind == BOTH) for alone in (ONLY_A, ONLY_B))
    columns = (numbers.tolist(), total(a & ice), total(a & ~ice), total(b & ice), total(b & ~ice), total(ice))
    return [
        Block(
            row=number // STEP, column=number % STEP, a_hit_km2=a_hit, a_false_km2=a_false, b_hit_km2=b_hit,
            b_false_km2=b_false, labelled_km2=labelled_km2,
        )
        for number, a_hit, a_false, b_hit, b_false, labelled_km2 in zip(*columns, strict=True)
    ]  # fmt: skip
