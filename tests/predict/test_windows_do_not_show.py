"""The result does not depend on how a scene is cut into windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stages.common.errors import ContractError
from stages.common.model import inference
from stages.common.model.inference import array_reader, open_session, predict_windows, read_info, runs_at_once
from stages.common.model.windows import WindowPlan, fixed_plan, plan_windows, round_up

HEIGHT, WIDTH = 333, 405


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """Smooth structures and noise, with a hole of invalid pixels."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    base = 120 + 60 * np.sin(rows / 17) * np.cos(columns / 23)
    pixels = base[..., None] + rng.normal(0, 25, (HEIGHT, WIDTH, 3))
    pixels[100:140, 200:260] = np.nan
    return pixels.astype(np.float32)


def whole(model: Path, pixels: np.ndarray, plan: WindowPlan, *, batch: int = 1, runs: int = 1) -> np.ndarray:
    session = open_session(model, height=plan.window_height, width=plan.window_width, batch=batch, runs=runs)
    out = np.full(pixels.shape[:2], np.nan, dtype=np.float32)
    for window, part in predict_windows(session, array_reader(pixels), plan, batch=batch, runs=runs):
        rows, columns = window.rows.keep_start, window.columns.keep_start
        assert np.isnan(out[rows : rows + part.shape[0], columns : columns + part.shape[1]]).all()
        out[rows : rows + part.shape[0], columns : columns + part.shape[1]] = part
    return out


@pytest.fixture(scope="module")
def reference(onnx_model: Path, scene: np.ndarray) -> np.ndarray:
    info = read_info(onnx_model)
    plan = plan_windows(
        HEIGHT, WIDTH, stride_px=info.stride_px, radius_px=info.receptive_field_radius_px, max_pixels=10**7
    )
    assert len(plan) == 1
    return whole(onnx_model, scene, plan)


def test_the_model_answers_everywhere_and_not_with_a_constant(reference: np.ndarray) -> None:
    assert np.isfinite(reference).all()
    assert reference.std() > 0.01


@pytest.mark.parametrize(
    ("size", "batch"),
    [
        pytest.param((304, 304), 1, id="squares"),
        pytest.param((336, 256), 1, id="columns"),
        pytest.param((240, 416), 1, id="strips"),
        pytest.param((256, 256), 3, id="batches of three, the last one not full"),
    ],
)
def test_any_windows_give_the_same(
    onnx_model: Path, scene: np.ndarray, reference: np.ndarray, size: tuple[int, int], batch: int
) -> None:
    info = read_info(onnx_model)
    margin = round_up(info.receptive_field_radius_px, info.stride_px)
    plan = fixed_plan(HEIGHT, WIDTH, size=size, stride_px=info.stride_px, margin_px=margin)
    assert len(plan) > 1
    assert np.abs(whole(onnx_model, scene, plan, batch=batch) - reference).max() <= 1e-6


def test_too_small_a_margin_would_show(onnx_model: Path, scene: np.ndarray, reference: np.ndarray) -> None:
    """The other tests can fail: without margin the seams are there."""
    info = read_info(onnx_model)
    plan = fixed_plan(HEIGHT, WIDTH, size=(160, 160), stride_px=info.stride_px, margin_px=0)
    assert np.abs(whole(onnx_model, scene, plan) - reference).max() > 1e-3


def test_an_aligned_crop_has_the_same_interior(onnx_model: Path, scene: np.ndarray, reference: np.ndarray) -> None:
    info = read_info(onnx_model)
    stride, radius = info.stride_px, info.receptive_field_radius_px
    top, left = 2 * stride, 3 * stride
    crop = scene[top : top + 272, left : left + 320]
    plan = plan_windows(*crop.shape[:2], stride_px=stride, radius_px=radius, max_pixels=10**7)
    inner = slice(radius, 272 - radius), slice(radius, 320 - radius)
    assert reference[top : top + 272, left : left + 320][inner].size > 1000
    interior = whole(onnx_model, crop, plan)[inner]
    assert np.abs(interior - reference[top : top + 272, left : left + 320][inner]).max() <= 1e-6


def test_nothing_beyond_the_receptive_field_matters(onnx_model: Path, scene: np.ndarray, reference: np.ndarray) -> None:
    info = read_info(onnx_model)
    changed = scene.copy()
    row, column = 160, 40
    changed[row, column] += 500
    plan = plan_windows(HEIGHT, WIDTH, stride_px=info.stride_px, radius_px=200, max_pixels=10**7)
    rows, columns = np.nonzero(np.abs(whole(onnx_model, changed, plan) - reference) > 0)
    reach = max(np.abs(rows - row).max(), np.abs(columns - column).max())
    assert info.receptive_field_radius_px // 2 < reach <= info.receptive_field_radius_px


@pytest.mark.parametrize("threads", ["1", "2"])
def test_threads_do_not_change_a_bit(
    onnx_model: Path, scene: np.ndarray, reference: np.ndarray, threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLACIER_INFERENCE_THREADS", threads)
    info = read_info(onnx_model)
    plan = plan_windows(
        HEIGHT, WIDTH, stride_px=info.stride_px, radius_px=info.receptive_field_radius_px, max_pixels=10**7
    )
    assert np.array_equal(whole(onnx_model, scene, plan), reference)


def test_runs_side_by_side_do_not_change_a_bit(
    onnx_model: Path, scene: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = read_info(onnx_model)
    margin = round_up(info.receptive_field_radius_px, info.stride_px)
    plan = fixed_plan(HEIGHT, WIDTH, size=(240, 256), stride_px=info.stride_px, margin_px=margin)
    maps = []
    for threads, runs in (("1", 1), ("2", 2), ("3", 5)):
        monkeypatch.setenv("GLACIER_INFERENCE_THREADS", threads)
        maps.append(whole(onnx_model, scene, plan, runs=runs))
    assert np.array_equal(maps[0], maps[1])
    assert np.array_equal(maps[0], maps[2])


@pytest.mark.parametrize(
    ("threads", "windows", "gib", "expected"), [("2", 9, 64, 2), ("8", 3, 64, 3), ("16", 9, 3, 1), ("1", 9, 64, 1)]
)
def test_as_many_runs_as_threads_windows_and_memory_allow(
    threads: str, windows: int, gib: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLACIER_INFERENCE_THREADS", threads)
    monkeypatch.setattr(inference, "memory_bytes", lambda: gib * 2**30)
    plan = fixed_plan(1920 * windows, 1024, size=(1920, 1024), stride_px=32, margin_px=0)
    assert len(plan) == windows
    assert runs_at_once(plan) == expected


@pytest.mark.parametrize("runs", [1, 3])
def test_an_error_while_reading_ends_the_others(onnx_model: Path, runs: int) -> None:
    info = read_info(onnx_model)
    plan = fixed_plan(2048, 64, size=(256, 64), stride_px=info.stride_px, margin_px=96)
    session = open_session(onnx_model, height=plan.window_height, width=plan.window_width, runs=runs)
    rows_read: list[int] = []

    def reader(row: int, column: int, rows: int, columns: int) -> np.ndarray:
        rows_read.append(row)
        if len(rows_read) == 3:
            raise ContractError("a tile cannot be read")
        return np.zeros((rows, columns, 3), dtype=np.float32)

    with pytest.raises(ContractError, match="a tile cannot be read"):
        list(predict_windows(session, reader, plan, runs=runs))
    assert len(rows_read) <= 3 + runs


@pytest.mark.parametrize("runs", [1, 2])
def test_rows_held_do_not_grow_with_the_scene(onnx_model: Path, runs: int) -> None:
    """Windows read but not yet answered, counted while a long scene streams through."""
    info = read_info(onnx_model)
    most_rows = {}
    for height in (512, 2048):
        plan = fixed_plan(height, 64, size=(256, 64), stride_px=info.stride_px,
                          margin_px=round_up(info.receptive_field_radius_px, info.stride_px))  # fmt: skip
        session = open_session(onnx_model, height=plan.window_height, width=plan.window_width)
        read, most = 0, 0

        def reader(row: int, column: int, rows: int, columns: int) -> np.ndarray:
            nonlocal read
            read += 1
            return np.zeros((rows, columns, 3), dtype=np.float32)

        for answered, _ in enumerate(predict_windows(session, reader, plan, runs=runs)):
            most = max(most, read - answered)
        assert read == len(plan)
        most_rows[height] = most
    assert most_rows[512] <= most_rows[2048] <= runs + 1


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07"], ids=["empty", "text", "truncated"])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(ContractError):
        read_info(tmp_path / "model.onnx")
