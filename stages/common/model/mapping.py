"""Mapping a scene of any size: its rows are streamed through the graph, in column strips where it is wide."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stages.common import settings
from stages.common.geo.raster import gdal_env, open_raster, refuse_unreadable
from stages.common.model.blocks import Block, cut_into_blocks
from stages.common.model.inference import OUTPUT, ModelInfo, open_block
from stages.common.model.openvino_blocks import OpenVinoBlocks
from stages.common.model.streaming import Stream, bytes_held
from stages.common.model.strips import Span, plan_strips, round_up, strip_size
from stages.common.model.trial import require_probabilities
from stages.common.params.schema import Engine
from stages.common.types import AnyArray, Float32Array

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Source = Callable[[int, int, int], Iterator[Float32Array]]
"""Function from (first column, columns, rows of a band) to the bands of a strip of the scene, from top to bottom.

A band is (rows, columns, C) float32 in physical values, NaN where a pixel is not valid or lies beyond the scene; the
last band may have fewer rows.
"""

BAND_PIXELS = 2**17
"""Pixels of a band, at least: fewer are slower, and more take more memory and caches."""

HELD_BYTES_MAX = 192 * 2**20
"""Memory of the rows that wait between blocks, as it is estimated; a wider scene is mapped in column strips.

The default model has strips of up to 6,000 columns, and a stage of 1 GiB."""


@dataclass(frozen=True)
class MappedBand:
    """A part of the scene that has been mapped."""

    row: int
    column: int
    answers: list[Float32Array]
    """Each (rows, columns, channels) float32 in 0-1: an output of the graph."""


class SceneMapper:
    """A model that is ready to map scenes of one size.

    Parameters
    ----------
    height, width
        Size of the scene.
    outputs
        Names of the graph's outputs that are asked for.
    threads
        Blocks that run side by side. Default: as set. No bit depends on it, nor on the next two.
    band_rows
        Rows that are read at once. Default: about `BAND_PIXELS`.
    columns_max
        Columns of a strip. Default: as many as `HELD_BYTES_MAX` allows.
    engine
        What runs the blocks. The last bits depend on it.

    Raises
    ------
    ContractError
        The graph cannot be cut into blocks.
    InputError
        The engine is not installed.
    """

    def __init__(
        self, info: ModelInfo, height: int, width: int, *, outputs: Sequence[str] = (OUTPUT,),
        threads: int | None = None, band_rows: int | None = None, columns_max: int | None = None,
        engine: Engine = "onnxruntime",
    ) -> None:  # fmt: skip
        self.height, self.width, self.outputs = height, width, outputs
        self.threads = threads or settings.inference_threads()
        self._stride = info.stride_px
        whole, margin = round_up(width, info.stride_px), round_up(info.receptive_field_radius_px, info.stride_px)
        graph = cut_into_blocks(info.path, whole)
        self.band_rows = band_rows or round_up(BAND_PIXELS / whole, info.stride_px)
        most = columns_max or int(HELD_BYTES_MAX / (bytes_held(graph, self.band_rows) / whole))
        self.columns = strip_size(whole, most, margin=margin, stride=info.stride_px)
        self.strips = plan_strips(whole, self.columns, margin)
        graph = graph if self.columns == whole else cut_into_blocks(info.path, self.columns)
        sessions = OpenVinoBlocks if engine == "openvino" else BlockSessions
        self._graph, self._run = graph, sessions(info.path).run
        self._computed = [0.0]

    def bands(self, source: Source) -> Iterator[MappedBand]:
        """Yield the scene in bands, each strip from top to bottom."""
        computed = []
        for strip in self.strips:
            stream = Stream(
                self._graph, round_up(self.height, self._stride), self._padded(source, strip),
                run=self._run, outputs=self.outputs, band_rows=self.band_rows, threads=self.threads,
            )  # fmt: skip
            row = 0
            for answers in stream:
                for answer in answers:
                    require_probabilities(answer, answer.shape, where=OUTPUT)
                if row < self.height:
                    yield MappedBand(row, strip.keep_start, [self._kept(answer[0], row, strip) for answer in answers])
                row += answers[0].shape[1]
            computed.append(stream.computed_ratio)
        self._computed = computed

    @property
    def computed_ratio(self) -> float:
        """Pixels worked on over pixels of the scene, the mean of the blocks: what edges, margins and padding cost."""
        padded = round_up(self.height, self._stride) * self.columns * sum(self._computed)
        return padded / (self.height * self.width)

    def _padded(self, source: Source, strip: Span) -> Generator[AnyArray]:
        """Yield the bands of a strip, (1, C, rows, columns), with NaN up to a multiple of the model's stride."""
        columns = min(self.columns, self.width - strip.start)
        missing = round_up(self.height, self._stride) - self.height
        row = 0
        for band in source(strip.start, columns, self.band_rows):
            row += len(band)
            below = missing if row == self.height else 0
            planes = np.moveaxis(band, -1, 0)
            if below or columns < self.columns:
                planes = np.pad(planes, ((0, 0), (0, below), (0, self.columns - columns)), constant_values=np.nan)
            yield planes[np.newaxis]

    def _kept(self, answer: Float32Array, row: int, strip: Span) -> Float32Array:
        columns = slice(strip.keep_start - strip.start, min(strip.keep_stop, self.width) - strip.start)
        return answer[: self.height - row, columns]


class BlockSessions:
    """The ONNX Runtime sessions of blocks, of one thread each, opened when they are first needed."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, threading.Lock()
        self._sessions: dict[bytes, InferenceSession] = {}

    def run(self, block: Block, at_edge: bool, feed: dict[str, AnyArray]) -> Sequence[AnyArray]:
        """Run a block on a band, given its inputs, contiguous in memory, by their names.

        It writes straight into the arrays that are returned; by itself ONNX Runtime would copy its results once more.
        An array of another shape than the result's is refused by ONNX Runtime.
        """
        session = self._session(block.at_edge if at_edge else block.inside)
        if not block.knows_sizes:
            return list(session.run([port.name for port in block.outputs], feed))
        steps = block.steps_of(feed, at_edge)
        results = {port.name: np.empty(port.shape(steps * port.rows), port.dtype) for port in block.outputs}
        binding = session.io_binding()
        for name, array in feed.items():
            binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        for name, array in results.items():
            binding.bind_output(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        session.run_with_iobinding(binding)
        return list(results.values())

    def _session(self, model: bytes) -> InferenceSession:
        with self._lock:
            if model not in self._sessions:
                self._sessions[model] = open_block(self._path, model)
            return self._sessions[model]


def scene_source(scene_path: Path, valid_path: Path) -> Source:
    """Return a source over scene.tif and valid.tif; both are opened anew by whoever reads the bands.

    A GDAL handle that two threads share reads wrong pixels without a word.
    """
    from rasterio.windows import Window

    def bands(column: int, columns: int, rows: int) -> Iterator[Float32Array]:
        with gdal_env(), open_raster(scene_path) as scene, open_raster(valid_path) as valid:
            scales, offsets = (np.asarray(each, dtype=np.float32) for each in (scene.scales, scene.offsets))
            for row in range(0, scene.height, rows):
                window = Window(column, row, columns, min(rows, scene.height - row))
                with refuse_unreadable(scene_path):
                    values = scene.read(window=window, out_dtype="float32")
                values *= scales[:, None, None]
                values += offsets[:, None, None]
                with refuse_unreadable(valid_path):
                    values[:, valid.read(1, window=window) == 0] = np.nan
                yield np.moveaxis(values, 0, -1)

    return bands


def array_source(pixels: Float32Array) -> Source:
    """Return a source over (H, W, C) float32 physical values, NaN where not valid."""

    def bands(column: int, columns: int, rows: int) -> Iterator[Float32Array]:
        return (pixels[row : row + rows, column : column + columns] for row in range(0, len(pixels), rows))

    return bands
