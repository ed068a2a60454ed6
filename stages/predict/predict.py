"""Map a scene with a model: probability and mask, and of an ensemble the votes of its members."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from rasterio.windows import Window as RasterWindow

from stages.common.errors import ContractError
from stages.common.geo.classes import GLACIER_MAP, write_classes
from stages.common.geo.grid import Grid
from stages.common.geo.raster import finish_cog, gdal_env, grid_of, open_raster, profile
from stages.common.geo.readback import CheckedRaster, checked_raster
from stages.common.model.inference import MEMBERS_OUTPUT, OUTPUT, ModelInfo, read_info
from stages.common.model.mapping import SceneMapper, scene_source
from stages.common.model.openvino_blocks import openvino_version
from stages.common.model.precision import graph_at
from stages.common.model.probability import encode_probability, reaches
from stages.common.params.schema import Engine
from stages.common.run.outputs import write_json
from stages.common.run.progress import progress_bar
from stages.common.run.stage import Run
from stages.common.tables.kinds import MASK_NODATA, PROBABILITY_NODATA, PROBABILITY_SCALE
from stages.common.tables.learning import MapModel
from stages.common.types import AnyArray, BoolArray, Float32Array, UInt8Array, UInt16Array
from stages.predict.consensus import files_of_passes, map_passes
from stages.predict.drift import measure_drift

MAP_LEVEL = 1
"""Effort of the compression of maps: a tenth larger than at 9, in 40 % of the processor time."""


def predict(run: Run) -> None:
    """Write the year's maps, the model's metadata, and how far the scene's pixels are from the training pixels.

    An ensemble writes votes.tif too; the maps of several passes are merged into their consensus.
    """
    with graph_at(run.path("{model}"), run.params.predict.precision) as graph:
        _predict(run, read_info(graph), run.params.predict.engine)


def _predict(run: Run, info: ModelInfo, engine: Engine) -> None:
    scene = run.path("artifacts/prepare/{year}/scene.tif")
    valid = run.path("artifacts/prepare/{year}/valid.tif")
    passes = files_of_passes(run)
    with gdal_env():
        if passes:
            mapper = map_passes(passes, run.out, partial(map_scene, info, engine=engine))[0]
        else:
            mapper = map_scene(info, scene, valid, run.out, engine=engine)
        write_json(run.out / "drift.json", measure_drift(info, scene, valid, year=int(run.year or 0)))
    write_json(run.out / "model.json", map_model(info, engine))
    run.log.info(
        "%s graph: %d rows in bands of %d, %d strip(s) of %d columns; edges and overlap: %.1f %% more pixels computed",
        info.precision, mapper.height, mapper.band_rows, len(mapper.strips), mapper.columns,
        100 * (mapper.computed_ratio - 1),
    )  # fmt: skip


def map_scene(
    info: ModelInfo, scene_path: Path, valid_path: Path, out: Path, *, engine: Engine = "onnxruntime"
) -> SceneMapper:
    """Map a scene band by band into `out`; memory grows with its width up to a bound, not with its height."""
    with open_raster(scene_path) as scene:
        check_model_bands(info, scene.descriptions, scene_path)
        grid = grid_of(scene)
    outputs = (OUTPUT, MEMBERS_OUTPUT)[: 1 if info.members == 1 else 2]
    mapper = SceneMapper(info, grid.height, grid.width, outputs=outputs, engine=engine)
    rows = progress_bar(grid.height * len(mapper.strips), name="predict", unit="row")
    with open_raster(valid_path) as valid, _drafts(out, grid, votes=info.members > 1) as drafts, rows as advance:
        for band in mapper.bands(scene_source(scene_path, valid_path)):
            height, width = band.answers[0].shape[:2]
            place = RasterWindow(band.column, band.row, width, height)
            observed = valid.read(1, window=place) == 1
            for draft, plane in zip(drafts, planes(band.answers, observed, info.threshold), strict=True):
                draft.write(plane, 1, window=place)
            advance(height)
    return mapper


@contextlib.contextmanager
def _drafts(out: Path, grid: Grid, *, votes: bool) -> Iterator[list[CheckedRaster]]:
    """Open plain GeoTIFFs to write windows into, in the order of `planes`; they become COGs at the end."""
    kinds: list[tuple[str, str, int | None]] = [
        ("probability", "uint16", PROBABILITY_NODATA),
        ("mask", "uint8", MASK_NODATA),
        ("votes", "uint16", None),
    ][: 3 if votes else 2]
    with contextlib.ExitStack() as stack:
        drafts = []
        for name, dtype, nodata in kinds:
            as_written = profile(grid, count=1, dtype=dtype, nodata=nodata)
            drafts.append(stack.enter_context(checked_raster(out / f"{name}.plain.tif", as_written)))
        drafts[0].dataset.scales = (PROBABILITY_SCALE,)
        write_classes(drafts[1].dataset, GLACIER_MAP)
        yield drafts
    for name, _, _ in kinds:
        finish_cog(out / f"{name}.plain.tif", out / f"{name}.tif", continuous=name == "probability", level=MAP_LEVEL)


def planes(answers: Sequence[Float32Array], observed: BoolArray, threshold: float) -> list[AnyArray]:
    """Return probability and mask, and of an ensemble the votes, as they are stored, each (H, W).

    Parameters
    ----------
    answers
        Outputs of the graph, each (H, W, channels) float32 in 0-1.
    observed
        (H, W) bool: where the scene is valid.
    threshold
        A pixel is glacier where its stored probability reaches this.
    """
    probability = answers[0][..., 0]
    both: list[AnyArray] = [encode_probability(probability, observed), to_mask(probability, observed, threshold)]
    return both + [to_votes(members, observed, threshold) for members in answers[1:]]


def map_model(info: ModelInfo, engine: Engine = "onnxruntime") -> MapModel:
    """Return the part of the model's metadata that users of its maps need, and the engine that mapped."""
    known = {name: getattr(info, name) for name in MapModel.model_fields if name != "engine"}
    return MapModel(**known, engine=openvino_version() if engine == "openvino" else engine)


def check_model_bands(info: ModelInfo, bands: Sequence[str | None], where: Path) -> None:
    """Refuse a scene whose bands, or their order, are not those the model has learned from."""
    if tuple(bands) != info.bands:
        raise ContractError(
            "the scene's bands are not the model's",
            where=where,
            expected=", ".join(info.bands),
            found=", ".join(map(str, bands)),
            fix="train a model on these bands, or set prepare.bands to the model's",
        )


def to_mask(probability: Float32Array, observed: BoolArray, threshold: float) -> UInt8Array:
    """Return (H, W) uint8: 1 where the stored probability reaches the threshold, 0 below, 255 where not observed."""
    return np.where(observed, reaches(probability, threshold).astype(np.uint8), np.uint8(MASK_NODATA))


def to_votes(members: Float32Array, observed: BoolArray, threshold: float) -> UInt16Array:
    """Return (H, W) uint16 from (H, W, M): bit m - 1 is set where member m reaches the threshold; 0: not observed."""
    bits = np.left_shift(np.uint16(1), np.arange(members.shape[-1], dtype=np.uint16))
    return np.asarray((reaches(members, threshold) & observed[..., None]) @ bits, dtype=np.uint16)
