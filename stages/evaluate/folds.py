"""The held-out maps of all folds as one map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt

from stages.common.errors import ContractError
from stages.common.geo.planes import Bits
from stages.common.geo.raster import read_band
from stages.common.model.probability import reaches, read_probability
from stages.common.model.split import OUTSIDE, TEST, block_folds
from stages.common.params.learning import PatchesParams
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.tables.evaluate import EvaluateMetrics
from stages.common.types import AnyArray, BoolArray, Float32Array, IntArray, UInt8Array
from stages.evaluate.crossval_contract import HELD_OUT, METRICS, SPLIT
from stages.evaluate.held_out import HeldOutMap
from stages.evaluate.scene import LabelledScene
from stages.evaluate.scores import as_fitted

NO_FOLD = -1


@dataclass(frozen=True, kw_only=True)
class Fold:
    """One training and the pixels it held out."""

    number: int
    probability: Float32Array
    """(H, W) float32, calibrated, 0-1."""
    region: BoolArray
    """(H, W): held out and observed."""
    outside: BoolArray
    """(H, W): outside the AOI."""
    metrics: EvaluateMetrics


def read_folds(run: Run, scene: LabelledScene) -> list[Fold]:
    """Read the folds of ``crossval.folds`` and check that each has mapped what its split tests and nothing else.

    Raises
    ------
    ContractError
        A fold's split does not test its own blocks, or its map shows other pixels than those.
    """
    paths = (run.paths(HELD_OUT), run.paths(SPLIT), run.paths(METRICS))
    folds = []
    for number in run.params.crossval.folds:
        held_out, split, metrics = (path_by_fold[number] for path_by_fold in paths)
        probability, region = read_probability(held_out)
        roles = read_band(split)
        check_split(roles, run.params.patches, number=number, where=split)
        check_region(region, scene.valid[:] & (roles == TEST), where=held_out)
        document = read_document(metrics, EvaluateMetrics)
        fold = Fold(
            number=number, probability=probability, region=region, outside=roles == OUTSIDE, metrics=document
        )  # fmt: skip
        folds.append(fold)
    return folds


def check_split(roles: UInt8Array, params: PatchesParams, *, number: int, where: object) -> None:
    """Refuse a split in which a pixel of the fold's own blocks is anything but a test pixel."""
    blocks = (block_folds(roles.shape, params) == number) & (roles != OUTSIDE)
    if stray := int((blocks & (roles != TEST)).sum()):
        raise ContractError(
            f"the split of fold {number} does not test all of its blocks", where=where,
            expected="0 pixels in another role", found=f"{stray} pixels", fix="run `make crossval` again",
        )  # fmt: skip


def check_region(mapped: BoolArray, tested: BoolArray, *, where: object) -> None:
    """Refuse a map of any but the observed test pixels of its split: training may have learned from the others."""
    if stray := int((mapped != tested).sum()):
        raise ContractError(
            "a fold's map is not that of its test pixels", where=where,
            expected=f"the {int(tested.sum())} pixels that its split tests and that were observed",
            found=f"{stray} pixels that differ", fix="run `make crossval` again",
        )  # fmt: skip


def owners(folds: Sequence[Fold], glacier_id: AnyArray) -> IntArray:
    """Return (H, W) position of the fold that each pixel is taken from, `NO_FOLD` where none holds it out.

    A small glacier that is held out whole lies in two folds where it crosses their border: its pixels are those of
    the fold that holds out most of it, whose training saw nothing of that glacier (the first of equals).
    """
    owner, most = np.full(glacier_id.shape, NO_FOLD), np.full(glacier_id.shape, NO_FOLD)
    for position, fold in enumerate(folds):
        pixels = np.bincount(glacier_id[fold.region], minlength=int(glacier_id.max()) + 1)
        share = np.where(fold.region, pixels[glacier_id], NO_FOLD)
        better = share > most
        owner[better], most[better] = position, share[better]
    return owner


def pool(folds: Sequence[Fold], owner: IntArray, index: Float32Array) -> HeldOutMap:
    """Return one map of all folds, each with its own threshold, temperature and rule of the `index` (H, W)."""
    probability, fitted = np.zeros(owner.shape, np.float32), np.zeros(owner.shape, np.float32)
    mapped, by_rule = np.zeros(owner.shape, bool), np.zeros(owner.shape, bool)
    for position, fold in enumerate(folds):
        owned = owner == position
        probability[owned] = fold.probability[owned]
        fitted[owned] = as_fitted(fold.probability[owned], fold.metrics.temperature)
        mapped[owned] = reaches(fold.probability[owned], fold.metrics.threshold)
        by_rule[owned] = index[owned] >= _rule_value(fold)
    region = owner != NO_FOLD
    return HeldOutMap(
        probability=lambda rows: probability[rows][region[rows]],
        as_fitted=lambda rows: fitted[rows][region[rows]],
        mapped=Bits.of(extend_to_nearest(mapped, region)),
        by_rule=Bits.of(extend_to_nearest(by_rule, region)),
        region=Bits.of(region),
    )


def _rule_value(fold: Fold) -> float:
    value = fold.metrics.baseline_threshold_value
    return np.nan if value is None else value


def extend_to_nearest(mapped: BoolArray, region: BoolArray) -> BoolArray:
    """Return the map with the value of the nearest pixel of its region beyond it: no boundary follows a gap's edge."""
    if region.all() or not region.any():
        return mapped
    _, (rows, columns) = distance_transform_edt(~region, return_indices=True)
    return np.asarray(mapped[rows, columns])
