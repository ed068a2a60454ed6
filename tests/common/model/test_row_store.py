"""Rows between two blocks: handed on without a copy, held as long as anybody needs them, and no longer."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from stages.common.model.row_store import RowStore, joined


def store_of(bands: list[np.ndarray], users: int) -> RowStore:
    store = RowStore(axis=2, total=100)
    store.needed = dict.fromkeys(range(users), 0)
    for band in bands:
        store.put(band)
    return store


def scene(rows: int) -> np.ndarray:
    return np.arange(rows * 6, dtype=np.float32).reshape(1, 2, rows, 3)


@pytest.mark.parametrize(("first", "stop"), [(0, 10), (0, 4), (3, 5), (4, 8), (1, 9), (7, 7)])
def test_rows_are_those_that_were_put_whatever_bands_they_came_in(first: int, stop: int) -> None:
    whole = scene(10)
    store = store_of([whole[:, :, :4], whole[:, :, 4:5], whole[:, :, 5:]], users=1)
    parts = store.rows(first, stop)
    assert all(np.shares_memory(part, whole) for part in parts)
    assert first == stop or np.array_equal(joined(parts, axis=2), whole[:, :, first:stop])
    assert sum(part.shape[2] for part in parts) == stop - first


def test_a_band_is_let_go_once_its_last_user_has_passed_it() -> None:
    bands = [scene(4), scene(4)]
    watched = [weakref.ref(band) for band in bands]
    store = store_of(bands, users=2)
    del bands
    store.need_from(0, 8)
    assert [ref() is None for ref in watched] == [False, False], "the other user still needs both"
    store.need_from(1, 3)
    assert [ref() is None for ref in watched] == [False, False], "a row of the first is still needed"
    store.need_from(1, 4)
    assert [ref() is None for ref in watched] == [True, False]


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_joined_is_contiguous_whatever_order_its_parts_have(count: int) -> None:
    channels_last = np.moveaxis(np.ascontiguousarray(np.moveaxis(scene(8), 1, -1)), -1, 1)
    whole = joined(np.split(channels_last, count, axis=2), axis=2)
    assert whole.flags.c_contiguous and np.array_equal(whole, scene(8))


def test_a_part_that_is_contiguous_by_itself_is_not_copied() -> None:
    whole = scene(8)
    assert joined([whole], axis=2) is whole
