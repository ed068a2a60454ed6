"""A scene streamed through the blocks of a graph: band after band, each row worked on once, in flat memory.

Between two blocks stand the rows that the second one still needs. Whichever block has the rows that it needs for
more may run, on any thread, the last one first: then nothing waits in memory for longer than it must. No bit depends on
threads or on the height of the bands.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from stages.common.model.blocks import SOURCE_AXIS, Block, BlockGraph, Port
from stages.common.model.row_store import RowStore, joined
from stages.common.types import AnyArray

RunBlock = Callable[[Block, bool, dict[str, AnyArray]], Sequence[AnyArray]]
"""Function that runs a block on a band, given whether it lies at an edge of the scene, and its inputs by name."""


PIXELS_MIN = 65
"""Least pixels of a block's coarsest value in a band, where the scene has as many. ONNX Runtime sums a matrix product
of up to 64 columns and more than 128 terms in another order, and the last bits differ (its ``MlasSgemmOperation``)."""


@dataclass(frozen=True)
class Band:
    """The next steps of a block, and the steps of its inputs that they are worked out from."""

    first: int
    stop: int
    input_first: int
    input_stop: int
    at_edge: bool


class Stage:
    """A block, and how far it has come."""

    def __init__(self, number: int, block: Block, height: int, band_rows: int) -> None:
        self.number, self.block = number, block
        self.steps = int(height * block.steps_per_row)
        self.least = min(self.steps, math.ceil(PIXELS_MIN / block.columns))
        self.most = max(self.least, int(band_rows * block.steps_per_row))
        self.done, self.computed, self.busy = 0, 0, False

    def next_band(self, stores: Mapping[str, RowStore]) -> Band | None:
        """Return the steps that can be worked on now; None: it must wait, or has finished."""
        if self.busy or self.done == self.steps:
            return None
        first, inputs = self.done, self.block.inputs
        at_top = any(first * port.rows < port.above for port in inputs)
        stops = [self._stop(port, stores[port.name], at_top) for port in inputs]
        stop = min(*stops, self.steps)
        if stop < self.steps:
            stop = min(stop, self.steps - self.least)
        if stop < first + self.least:
            return None
        if self.steps - first - self.most >= self.least:
            stop = min(stop, first + self.most)
        at_edge = at_top or any(stop * port.rows + port.below > stores[port.name].total for port in inputs)
        beyond = self.block.spoiled_steps if at_edge else 0
        return Band(first, stop, max(0, first - beyond), min(self.steps, stop + beyond), at_edge)

    def _stop(self, port: Port, store: RowStore, at_top: bool) -> int:
        """Return the step up to which there are rows enough of an input."""
        if store.stop == store.total:
            return self.steps
        below = self.block.spoiled_steps * port.rows if at_top else port.below
        return (store.stop - below) // port.rows

    def first_row_needed(self, port: Port) -> int:
        """Return the first row of an input that is still needed."""
        if self.done == self.steps:
            return self.steps * port.rows
        return max(0, self.done * port.rows - max(port.above, self.block.spoiled_steps * port.rows))


class Stream:
    """A scene on its way through the blocks.

    Parameters
    ----------
    height
        Rows of the scene, a multiple of the graph's stride.
    bands
        The scene from top to bottom, each band (1, C, rows, columns).
    run
        Runs a block; several threads call it at once.
    outputs
        Names of the graph's outputs that are asked for.
    """

    def __init__(
        self, graph: BlockGraph, height: int, bands: Generator[AnyArray], *, run: RunBlock, outputs: Sequence[str],
        band_rows: int, threads: int,
    ) -> None:  # fmt: skip
        self._bands, self._run, self._outputs, self._threads = bands, run, outputs, threads
        self.stages = [Stage(number, block, height, band_rows) for number, block in enumerate(graph.blocks)]
        self._stores = {graph.source: RowStore(SOURCE_AXIS, total=height)}
        for stage in self.stages:
            for port in stage.block.outputs:
                self._stores[port.name] = RowStore(port.axis, stage.steps * port.rows)
        for stage in self.stages:
            for port in stage.block.inputs:
                self._stores[port.name].needed[stage.number] = 0
        for name in outputs:
            self._stores[name].needed[CALLER] = 0
        self._band_rows, self._rows_on_their_way = band_rows, 0
        self._changed, self._closed = threading.Condition(), False

    def __iter__(self) -> Iterator[list[AnyArray]]:
        """Yield the next rows of each output, from top to bottom."""
        with ThreadPoolExecutor(max_workers=self._threads + 1) as pool:
            futures = [pool.submit(self._guarded, work) for work in [self._read, *[self._work] * self._threads]]
            try:
                while (rows := self._next_rows()) is not None:
                    yield rows
            finally:
                self._close()
            for future in futures:
                future.result()

    @property
    def computed_ratio(self) -> float:
        """Rows worked on over rows of the scene, the mean of the blocks."""
        return float(np.mean([stage.computed / stage.steps for stage in self.stages]))

    def _next_rows(self) -> list[AnyArray] | None:
        stores = [self._stores[name] for name in self._outputs]
        with self._changed:
            first = stores[0].needed[CALLER]
            if first == stores[0].total:
                return None
            self._changed.wait_for(lambda: self._closed or min(store.stop for store in stores) > first)
            if self._closed:
                return None
            stop = min(store.stop for store in stores)
            parts = [store.rows(first, stop) for store in stores]
        rows = [joined(each, store.axis) for each, store in zip(parts, stores, strict=True)]
        with self._changed:
            for store in stores:
                store.need_from(CALLER, stop)
            self._changed.notify_all()
        return rows

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException:
            self._close()
            raise

    def _close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _read(self) -> None:
        """Read a band whenever fewer blocks can run than there are threads."""
        store = next(iter(self._stores.values()))
        with contextlib.closing(self._bands):  # in the thread that has opened what it reads
            self._read_into(store)

    def _read_into(self, store: RowStore) -> None:
        for band in self._bands:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._is_short_of_work())
                if self._closed:
                    return
            with self._changed:
                store.put(band)
                self._changed.notify_all()

    def _is_short_of_work(self) -> bool:
        """Return whether to read on: fewer blocks can run than there are threads, and few bands are on their way.

        How many rows must be on their way is learned: where nothing can run and nothing is finished, it is more.
        """
        read = next(iter(self._stores.values())).stop
        taken = [self._stores[name].needed[CALLER] for name in self._outputs]
        ready = sum(stage.busy or stage.next_band(self._stores) is not None for stage in self.stages)
        if not ready and min(self._stores[name].stop for name in self._outputs) == min(taken):
            self._rows_on_their_way = max(self._rows_on_their_way, read - min(taken) + self._threads * self._band_rows)
            return True
        return ready <= self._threads and read - min(taken) < self._rows_on_their_way

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._ready() is not None or self._finished())
                ready = None if self._closed else self._ready()
                if ready is None:
                    return
                stage, band = ready
                stage.busy = True
                inputs = [(port, self._stores[port.name].rows(*_rows_of(port, band))) for port in stage.block.inputs]
            feed = {port.name: joined(parts, port.axis) for port, parts in inputs}
            self._deliver(stage, band, self._run(stage.block, band.at_edge, feed))

    def _ready(self) -> tuple[Stage, Band] | None:
        """Return the last block that can run, and on what."""
        for stage in reversed(self.stages):
            if (band := stage.next_band(self._stores)) is not None:
                return stage, band
        return None

    def _finished(self) -> bool:
        return all(stage.done == stage.steps for stage in self.stages)

    def _deliver(self, stage: Stage, band: Band, results: Sequence[AnyArray]) -> None:
        with self._changed:
            stage.computed += band.input_stop - band.input_first
            stage.done, stage.busy = band.stop, False
            for port, result in zip(stage.block.outputs, results, strict=True):
                first = (band.first - band.input_first) * port.rows
                inner = slice(first, first + (band.stop - band.first) * port.rows)
                self._stores[port.name].put(result[(slice(None),) * port.axis + (inner,)])
            for port in stage.block.inputs:
                self._stores[port.name].need_from(stage.number, stage.first_row_needed(port))
            self._changed.notify_all()


def bytes_held(graph: BlockGraph, band_rows: int) -> float:
    """Estimate the memory of the rows that wait between blocks: how far a value is ahead of its last user, and a band.

    A block stands as far ahead of the last one as the blocks behind it look down.
    """
    ends: dict[str, float] = {}
    starts: dict[str, float] = {}
    total = 0.0
    for block in reversed(graph.blocks):
        done = max(ends.get(port.name, 0.0) / port.rows for port in block.outputs)
        for port in block.outputs:
            ahead = done * port.rows - starts.get(port.name, 0.0)
            total += port.row_bytes * (ahead + band_rows * float(block.steps_per_row) * port.rows)
        for port in block.inputs:
            ends[port.name] = max(ends.get(port.name, 0.0), done * port.rows + port.below + port.rows)
            starts[port.name] = min(starts.get(port.name, math.inf), done * port.rows - port.above)
    return total


CALLER = -1
"""Number of the user of the outputs, beside those of the blocks."""


def _rows_of(port: Port, band: Band) -> tuple[int, int]:
    """Return the rows of an input that a band is worked out from."""
    if band.at_edge:
        return band.input_first * port.rows, band.input_stop * port.rows
    return band.first * port.rows - port.above, band.stop * port.rows + port.below
