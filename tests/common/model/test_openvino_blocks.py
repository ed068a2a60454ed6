"""OpenVINO's map has the same floats with any bands, threads, strips and instruction set, and sends no usage data."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from stages.common.errors import ContractError, InputError
from stages.common.model.blocks import cut_into_blocks
from stages.common.model.inference import OUTPUT, read_info
from stages.common.model.mapping import Engine, SceneMapper, array_source
from stages.common.model.openvino_blocks import SETTINGS, OpenVinoBlocks, load_openvino
from stages.train.quantise import quantise

ROOT = Path(__file__).resolve().parents[3]
HEIGHT, WIDTH = 176, 208


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    values = (120 + 60 * np.sin(rows / 17) * np.cos(columns / 23))[..., None]
    values = values + np.random.default_rng(1).normal(0, 25, (HEIGHT, WIDTH, 3))
    values[30:70, 50:90] = np.nan
    return values.astype(np.float32)


@pytest.fixture(scope="module", params=["float32", "int8"])
def model(
    request: pytest.FixtureRequest, onnx_model: Path, pixels: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    if request.param == "float32":
        return onnx_model
    path = tmp_path_factory.mktemp("int8") / "model.onnx"
    path.write_bytes(quantise(onnx.load(onnx_model), pixels[None, :64, :64]).SerializeToString())
    return path


def map_of(model: Path, pixels: np.ndarray, engine: Engine = "openvino", **sizes: int) -> np.ndarray:
    mapper = SceneMapper(read_info(model), *pixels.shape[:2], engine=engine, **sizes)
    out = np.full((*pixels.shape[:2], 1), np.nan, dtype=np.float32)
    for band in mapper.bands(array_source(pixels)):
        answer = band.answers[0]
        out[band.row : band.row + len(answer), band.column : band.column + answer.shape[1]] = answer
    return out


@pytest.mark.usefixtures("openvino_installed")
def test_any_bands_threads_and_strips_give_the_floats_of_the_whole_graph(model: Path, pixels: np.ndarray) -> None:
    core = load_openvino().Core()
    whole = core.compile_model(core.read_model(model), "CPU", SETTINGS)([pixels[np.newaxis]])[OUTPUT][0]
    assert whole.std() > 0.01
    for sizes in ({"threads": 1}, {"threads": 2, "band_rows": 16}, {"threads": 3, "band_rows": 48, "columns_max": 160}):
        assert np.array_equal(map_of(model, pixels, **sizes), whole), sizes


@pytest.mark.usefixtures("openvino_installed")
def test_it_is_the_map_of_onnx_runtime_but_for_the_last_digits(onnx_model: Path, pixels: np.ndarray) -> None:
    ours, other = (map_of(onnx_model, pixels, engine) for engine in ("openvino", "onnxruntime"))
    assert 0 < np.abs(ours - other).max() < 1e-5


MAP = """
import sys, numpy as np
from pathlib import Path
from tests.common.model.test_openvino_blocks import map_of
np.save(sys.argv[3], map_of(Path(sys.argv[1]), np.load(sys.argv[2])))
"""


@pytest.mark.usefixtures("openvino_installed")
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the names of instruction sets are those of x86-64")
def test_the_floats_are_the_same_with_avx2_and_avx512(model: Path, pixels: np.ndarray, tmp_path: Path) -> None:
    maps = {}
    np.save(tmp_path / "pixels.npy", pixels)
    for instructions in ("SSE41", "AVX2", "AVX512_CORE"):
        variables = os.environ | {"ONEDNN_MAX_CPU_ISA": instructions, "PYTHONPATH": str(ROOT)}
        out = tmp_path / f"{instructions}.npy"
        command = [sys.executable, "-c", MAP, str(model), str(tmp_path / "pixels.npy"), str(out)]
        subprocess.run(command, env=variables, cwd=ROOT, check=True)
        maps[instructions] = np.load(out)
    assert np.array_equal(maps["AVX2"], maps["AVX512_CORE"])
    assert not np.array_equal(maps["AVX2"], maps["SSE41"]), "the bound must be in force"


@pytest.mark.usefixtures("openvino_installed")
def test_a_block_whose_shapes_are_not_known_gives_the_same(onnx_model: Path) -> None:
    block = cut_into_blocks(onnx_model, 64).blocks[0]
    (source,) = block.inputs
    rows = source.shape(24 * source.rows + source.above + source.below)
    feed = {source.name: np.random.default_rng(0).normal(120, 25, rows).astype(np.float32)}
    unknown = replace(block, outputs=tuple(replace(port, sizes=(0,) * len(port.sizes)) for port in block.outputs))
    known, other = (OpenVinoBlocks(onnx_model).run(each, False, feed) for each in (block, unknown))
    assert all(np.array_equal(*pair) for pair in zip(known, other, strict=True))
    with pytest.raises(ContractError, match="OpenVINO cannot run the model") as caught:
        OpenVinoBlocks(onnx_model).run(replace(block, inside=b"no model"), False, feed)
    assert caught.value.where == str(onnx_model)


@pytest.mark.usefixtures("openvino_installed")
def test_it_sends_no_usage_data_and_leaves_nothing_at_home(tmp_path: Path) -> None:
    look = (
        "from stages.common.model.openvino_blocks import load_openvino; load_openvino();"
        "import openvino.tools.ovc.telemetry_utils as used; print(used.tm.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", look], env=os.environ | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}, cwd=ROOT,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub"
    assert not list(tmp_path.rglob("*"))


def test_without_the_package_the_error_names_the_fix(onnx_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(InputError, match="OpenVINO cannot be loaded") as caught:
        SceneMapper(read_info(onnx_model), HEIGHT, WIDTH, engine="openvino")
    assert caught.value.exit_code == 2
    assert (caught.value.where, "make openvino" in caught.value.fix) == (sys.prefix, True)
