"""The result has the bits of one run on the whole scene, whatever bands, strips and threads it is mapped with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stages.common.errors import ContractError
from stages.common.model.blocks import Block, cut_into_blocks
from stages.common.model.inference import MEMBERS_OUTPUT, OUTPUT, open_session, read_info
from stages.common.model.mapping import BlockSessions, SceneMapper, array_source
from stages.common.model.strips import round_up

HEIGHT, WIDTH = 333, 405


def scene_of(height: int, width: int, seed: int = 1) -> np.ndarray:
    """Smooth structures and noise, with a hole of invalid pixels."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    base = 120 + 60 * np.sin(rows / 17) * np.cos(columns / 23)
    pixels = base[..., None] + rng.normal(0, 25, (height, width, 3))
    top, left = rng.integers(0, height), rng.integers(0, width)
    pixels[top : top + 40, left : left + 60] = np.nan
    return pixels.astype(np.float32)


def in_one_run(model: Path, pixels: np.ndarray, output: str = OUTPUT) -> np.ndarray:
    """Return (H, W, channels) of the graph as it is, on the whole scene at once."""
    stride = read_info(model).stride_px
    height, width = (round_up(length, stride) for length in pixels.shape[:2])
    padded = np.full((1, height, width, 3), np.nan, dtype=np.float32)
    padded[0, : len(pixels), : pixels.shape[1]] = pixels
    session = open_session(model, height=height, width=width)
    return session.run([output], {session.get_inputs()[0].name: padded})[0][0, : len(pixels), : pixels.shape[1]]


def in_bands(model: Path, pixels: np.ndarray, output: str = OUTPUT, **sizes: int) -> np.ndarray:
    mapper = SceneMapper(read_info(model), *pixels.shape[:2], outputs=(output,), **sizes)
    parts = [(band.row, band.column, band.answers[0]) for band in mapper.bands(array_source(pixels))]
    out = np.full((*pixels.shape[:2], parts[0][2].shape[2]), np.nan, dtype=np.float32)
    for row, column, part in parts:
        place = out[row : row + part.shape[0], column : column + part.shape[1]]
        assert place.shape == part.shape and np.isnan(place).all(), "every pixel once"
        place[...] = part
    return out


@settings(max_examples=8)
@given(
    height=st.integers(1, 400), width=st.integers(1, 130), band_rows=st.integers(1, 200), threads=st.integers(1, 4),
    seed=st.integers(0, 9),
)  # fmt: skip
@example(height=HEIGHT, width=WIDTH, band_rows=16, threads=2, seed=1)
@example(height=HEIGHT, width=1040, band_rows=1, threads=3, seed=1)
def test_any_bands_and_threads_give_the_same_bits(
    onnx_model: Path, height: int, width: int, band_rows: int, threads: int, seed: int
) -> None:
    pixels = scene_of(height, width, seed)
    banded = in_bands(onnx_model, pixels, band_rows=band_rows, threads=threads)
    assert np.array_equal(banded, in_one_run(onnx_model, pixels))
    assert height * width < 5000 or banded.std() > 0.01


def test_a_block_whose_shapes_are_not_known_gives_the_same(onnx_model: Path) -> None:
    block = cut_into_blocks(onnx_model, 64).blocks[0]
    rng, (source,) = np.random.default_rng(0), block.inputs
    rows = source.shape(24 * source.rows + source.above + source.below)
    feed = {source.name: rng.normal(120, 25, rows).astype(np.float32)}
    unknown = replace(block, outputs=tuple(replace(port, sizes=(0,) * len(port.sizes)) for port in block.outputs))
    assert (block.knows_sizes, unknown.knows_sizes) == (True, False)
    known, other = (BlockSessions(onnx_model).run(each, False, feed) for each in (block, unknown))
    assert [array.shape for array in known] == [port.shape(24 * port.rows) for port in block.outputs]
    assert all(np.array_equal(*pair) for pair in zip(known, other, strict=True))
    assert known[0].std() > 0.01


def test_nothing_of_single_pixels_waits_between_blocks(onnx_model: Path) -> None:
    """What is standardised is worked out by the block of the first convolution, from the scene's own numbers."""
    graph = cut_into_blocks(onnx_model, 64)
    assert [port.name for port in graph.blocks[0].inputs] == [graph.source]
    assert all("Conv" in [node.op_type for node in operators(block)] for block in graph.blocks)


def operators(block: Block) -> list[onnx.NodeProto]:
    return list(onnx.load_from_string(block.inside).graph.node)


def test_strips_give_the_same_bits(onnx_model: Path) -> None:
    pixels = scene_of(90, 1100)
    assert len(SceneMapper(read_info(onnx_model), 90, 1100, columns_max=600).strips) == 3
    assert np.array_equal(in_bands(onnx_model, pixels, columns_max=600), in_one_run(onnx_model, pixels))


def quantised(model: Path, path: Path) -> Path:
    """Write the model with convolutions of 7-bit weights and uint8 values, which stand between the blocks.

    With int8 values ONNX Runtime rewrites a whole graph otherwise than its blocks.
    """
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    class Calibration(CalibrationDataReader):
        scenes = iter([np.nan_to_num(scene_of(64, 64), nan=120)[np.newaxis]])

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(({"reflectance": scene} for scene in self.scenes), None)

    operators = ["Conv", "ConvTranspose", "MaxPool", "Concat"]
    quantize_static(
        model, path, Calibration(), per_channel=True, reduce_range=True, op_types_to_quantize=operators,
        activation_type=QuantType.QUInt8,
    )  # fmt: skip
    return path


def test_a_quantised_graph_has_the_same_bits(onnx_model: Path, tmp_path: Path) -> None:
    path, pixels = quantised(onnx_model, tmp_path / "model.onnx"), np.nan_to_num(scene_of(176, 160), nan=120)
    mapper = SceneMapper(replace(read_info(onnx_model), path=path), 176, 160, band_rows=32, threads=2)
    banded = np.concatenate([band.answers[0] for band in mapper.bands(array_source(pixels))])
    session = open_session(path, height=176, width=160)
    assert np.array_equal(banded, session.run(["glacier"], {"reflectance": pixels[np.newaxis]})[0][0])
    assert banded.std() > 0.01


def test_too_small_a_margin_would_show(onnx_model: Path) -> None:
    """The other tests can fail: without margin the seams are there."""
    pixels, info = scene_of(90, 700), replace(read_info(onnx_model), receptive_field_radius_px=0)
    mapper = SceneMapper(info, 90, 700, columns_max=400)
    edges = [band.answers[0][:, -1] for band in mapper.bands(array_source(pixels)) if band.column == 0]
    seam = mapper.strips[0].keep_stop - 1
    assert np.abs(np.concatenate(edges) - in_one_run(onnx_model, pixels)[:, seam]).max() > 1e-3


def test_of_an_ensemble_every_member_has_the_same_bits(onnx_ensemble: Path) -> None:
    pixels = scene_of(150, 120)
    for output in (OUTPUT, MEMBERS_OUTPUT):
        expected = in_one_run(onnx_ensemble, pixels, output)
        assert np.array_equal(in_bands(onnx_ensemble, pixels, output, band_rows=32), expected)


def test_nothing_beyond_the_receptive_field_matters(onnx_model: Path) -> None:
    info, pixels = read_info(onnx_model), scene_of(HEIGHT, WIDTH)
    pixels = np.nan_to_num(pixels, nan=120)
    changed, row, column = pixels.copy(), 160, 40
    changed[row, column] += 500
    difference = np.abs(in_bands(onnx_model, changed) - in_bands(onnx_model, pixels))[..., 0]
    rows, columns = np.nonzero(difference > 0)
    reach = max(np.abs(rows - row).max(), np.abs(columns - column).max())
    assert info.receptive_field_radius_px // 2 < reach <= info.receptive_field_radius_px


def test_little_is_computed_twice(onnx_model: Path) -> None:
    mapper = SceneMapper(read_info(onnx_model), 4000, 32, band_rows=64)
    list(mapper.bands(array_source(np.zeros((4000, 32, 3), dtype=np.float32))))
    assert 1 <= mapper.computed_ratio < 1.02


class ReadError(Exception):
    """Raised while a scene is read."""


def test_an_error_while_reading_ends_the_others(onnx_model: Path) -> None:
    def source(column: int, columns: int, rows: int) -> Iterator[np.ndarray]:
        for number in range(8):
            if number == 3:
                raise ReadError
            yield np.zeros((rows, columns, 3), dtype=np.float32)

    with pytest.raises(ReadError):
        list(SceneMapper(read_info(onnx_model), 512, 64, band_rows=64, threads=2).bands(source))


def test_a_caller_that_leaves_ends_the_threads(onnx_model: Path) -> None:
    mapper = SceneMapper(read_info(onnx_model), 4000, 32, band_rows=16, threads=2)
    bands = mapper.bands(array_source(np.zeros((4000, 32, 3), dtype=np.float32)))
    next(bands)
    bands.close()  # waits for its threads


def test_rows_held_do_not_grow_with_the_scene(onnx_model: Path) -> None:
    """Rows read but not yet mapped, while a long scene streams through."""
    info, height, width = read_info(onnx_model), 1536, 1040
    read, mapped, most = 0, 0, 0

    def source(column: int, columns: int, rows: int) -> Iterator[np.ndarray]:
        nonlocal read
        for row in range(0, height, rows):
            read += min(rows, height - row)
            yield np.zeros((min(rows, height - row), columns, 3), dtype=np.float32)

    mapper = SceneMapper(info, height, width, band_rows=32, threads=2)
    for band in mapper.bands(source):
        most = max(most, read - mapped)
        mapped += len(band.answers[0])
    assert (read, mapped) == (height, height)
    assert most <= 4 * info.receptive_field_radius_px + 5 * 32


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07"], ids=["empty", "text", "truncated"])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ContractError):
        read_info(tmp_path / "model.onnx")
