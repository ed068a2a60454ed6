"""One map from the maps of a year's passes.

A pixel is glacier where more than half of the passes that have observed it say so; a tie is not glacier. Snow adds
false ice to one pass or another and hardly ever takes any away, so the error of a single map is one-sided and the
least snowy maps are the truest: inventories ask for scenes of the least seasonal snow (Paul et al. 2009), and stacks
of a season's scenes are composited towards it (Winsvold et al. 2016). The majority rather than the minimum, as one
pass may miss ice in shadow or under thin cloud.

In probabilities this is the lower median: the ((k + 1) // 2)-th smallest of k. It reaches a threshold exactly where
more than half of the k do, so the map's probability and its mask agree as they do in a single scene.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import numpy as np
from rasterio.io import DatasetReader
from rasterio.windows import Window

from stages.common.geo.raster import finish_cog, grid_of, open_raster, profile
from stages.common.geo.readback import checked_raster
from stages.common.run.records import read_document
from stages.common.run.stage import Run
from stages.common.tables.kinds import MASK_NODATA, PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.tables.prepare import Passes
from stages.common.types import AnyArray, UInt8Array, UInt16Array
from stages.predict import contract

STRIP_ROWS = 512
"""Rows that are worked on at once, as many as a tile has: all passes of a strip are in memory together."""

Result = TypeVar("Result")


def files_of_passes(run: Run) -> list[tuple[Path, Path]]:
    """Return scene and valid mask of each pass of the year; an empty list where the year is one merged scene."""
    listed = run.path(contract.PASSES)
    if not listed.is_file():
        return []
    scenes, valid = run.paths(contract.PASS_SCENE), run.paths(contract.PASS_VALID)
    numbers = [year_pass.number for year_pass in read_document(listed, Passes).passes]
    return [(scenes[number], valid[number]) for number in numbers]


def map_passes(
    passes: Sequence[tuple[Path, Path]], out: Path, map_scene: Callable[[Path, Path, Path], Result]
) -> list[Result]:
    """Map each pass and write their consensus into `out`: probability.tif, mask.tif, passes.tif and, if any, votes.tif.

    Parameters
    ----------
    passes
        Scene and valid mask of each pass, all on one grid.
    map_scene
        Given scene, valid mask and a folder, writes probability.tif and mask.tif of a single map into it.

    Returns
    -------
    list
        What `map_scene` has returned for each pass.
    """
    folders = [out / f".pass-{number}" for number in range(1, len(passes) + 1)]
    results = []
    for (scene, valid), folder in zip(passes, folders, strict=True):
        folder.mkdir()
        results.append(map_scene(scene, valid, folder))
    write_consensus(folders, out)
    for folder in folders:
        shutil.rmtree(folder)
    return results


def write_consensus(folders: Sequence[Path], out: Path) -> None:
    """Write the consensus of the maps in `folders`, on one grid, and their masks as the bands of passes.tif."""
    masks, probabilities = [[folder / name for folder in folders] for name in ("mask.tif", "probability.tif")]
    by_strips(masks, out / "mask.tif", majority, nodata=MASK_NODATA)
    by_strips(probabilities, out / "probability.tif", lower_median, nodata=PROBABILITY_NODATA, scale=PROBABILITY_SCALE)
    by_strips(masks, out / "passes.tif", np.asarray, nodata=MASK_NODATA)
    votes = [folder / "votes.tif" for folder in folders]
    if all(path.is_file() for path in votes):
        by_strips([*masks, *votes], out / "votes.tif", vote_majority, nodata=None)


def majority(masks: UInt8Array) -> UInt8Array:
    """Return (1, H, W) uint8 of (k, H, W): 1 where over half of the values but 255 are 1; 255 where all are 255."""
    observed, glacier = (masks != MASK_NODATA).sum(axis=0), (masks == 1).sum(axis=0)
    return np.where(observed > 0, (2 * glacier > observed).astype(np.uint8), np.uint8(MASK_NODATA))[np.newaxis]


def lower_median(probabilities: UInt16Array) -> UInt16Array:
    """Return (1, H, W) uint16 of (k, H, W): the lower median of the values but 65535; 65535 where all are 65535."""
    ranked = np.sort(probabilities, axis=0)  # nodata is the largest value, and comes last
    observed = (probabilities != PROBABILITY_NODATA).sum(axis=0)
    place = np.maximum(observed - 1, 0) // 2
    return np.asarray(np.take_along_axis(ranked, place[np.newaxis], axis=0))


def vote_majority(masks_and_votes: UInt16Array) -> UInt16Array:
    """Return (1, H, W) uint16 of k masks and then the k votes of an ensemble: `majority` of each member's bit."""
    masks, votes = np.split(masks_and_votes, 2)
    observed = masks != MASK_NODATA
    result = np.zeros(votes.shape[1:], dtype=np.uint16)
    for bit in range(16):
        glacier = (((votes >> bit) & 1 == 1) & observed).sum(axis=0)
        result |= (2 * glacier > observed.sum(axis=0)).astype(np.uint16) << np.uint16(bit)
    return result[np.newaxis]


def by_strips(
    sources: Sequence[Path], path: Path, rule: Callable[[AnyArray], AnyArray], *, nodata: int | None, scale: float = 1.0
) -> None:
    """Apply `rule` to the sources' first bands, (k, H, W) to (bands, H, W), strip by strip, and write a COG."""
    plain = path.with_suffix(".plain.tif")
    with ExitStack() as stack:
        rasters = [stack.enter_context(open_raster(source)) for source in sources]
        grid = grid_of(rasters[0])
        sample = rule(_read(rasters, Window(0, 0, 1, 1)))
        layout = profile(grid, count=len(sample), dtype=str(sample.dtype), nodata=nodata)
        draft = stack.enter_context(checked_raster(plain, layout))
        if scale != 1.0:
            draft.dataset.scales = (scale,) * len(sample)
        for start in range(0, grid.height, STRIP_ROWS):
            strip = Window(0, start, grid.width, min(STRIP_ROWS, grid.height - start))
            draft.write(rule(_read(rasters, strip)), window=strip)
    finish_cog(plain, path, continuous=scale != 1.0)


def _read(rasters: Sequence[DatasetReader], window: Window) -> AnyArray:
    return np.stack([raster.read(1, window=window) for raster in rasters])
