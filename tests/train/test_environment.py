"""What the shell says changes no bit of a model, and the card says what was in force."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import tiny
from stages.common.run import environment
from stages.train.environment import cpu_flags, hushed, instruction_set_in_force, training_variables

FOREIGN = {
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "ONEDNN_DEFAULT_FPMATH_MODE": "BF16",
    "DNNL_MAX_CPU_ISA": "SSE41",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_DETERMINISTIC_OPS": "0",
    "TF_XLA_FLAGS": "--tf_xla_auto_jit=2",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
    "OMP_NUM_THREADS": "1",
    "KERAS_BACKEND": "jax",
    "KERAS_MAX_EPOCHS": "1",
}
KEPT = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "TF_CLI_CONFIG_FILE": "terraform.rc",
    "PATH": "/bin",
    "GLACIER_INFERENCE_THREADS": "1",
}


AVX2 = frozenset({"sse4_1", "avx", "avx2"})
NEURAL = AVX2 | {"avx512bw", "avx512_vnni", "avx512_bf16"}


def test_all_that_changes_bits_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.foreign("train"):
        monkeypatch.delenv(name)
    for name, value in (FOREIGN | KEPT).items():
        monkeypatch.setenv(name, value)
    assert environment.foreign("train") == sorted(FOREIGN)


@pytest.mark.parametrize(
    ("instruction_set", "flags", "onednn", "bound", "in_force"),
    [
        pytest.param("native", NEURAL, "1", None, "AVX512_CORE_BF16", id="all that the processor has"),
        pytest.param("native", AVX2, "1", None, "AVX2", id="TensorFlow by itself would not use oneDNN here"),
        pytest.param("AVX2", NEURAL, "1", "AVX2", "AVX2", id="bounded"),
        pytest.param("AVX2", AVX2, "1", "AVX2", "AVX2", id="the same on an older processor"),
        pytest.param("AVX512_CORE", AVX2, "1", "AVX512_CORE", "AVX2", id="the processor is the bound"),
        pytest.param("native", frozenset(), None, None, "unknown", id="another kind of processor"),
    ],
)
def test_onednn_and_what_the_card_says_of_it(
    instruction_set: str, flags: frozenset[str], onednn: str | None, bound: str | None, in_force: str
) -> None:
    decided = training_variables(instruction_set, flags)
    assert (decided.get("TF_ENABLE_ONEDNN_OPTS"), decided.get("ONEDNN_MAX_CPU_ISA")) == (onednn, bound)
    assert instruction_set_in_force(decided, flags) == in_force


def test_flags_are_those_that_the_system_lists(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("flags : avx avx2\n")
    assert cpu_flags(tmp_path / "cpuinfo") >= {"avx", "avx2"}
    assert cpu_flags(tmp_path / "none") == frozenset()


IN_FORCE = """
import json, os
from stages.train.train import prepare_tensorflow
prepare_tensorflow(3, 1, "native")
import keras
import tensorflow as tf
print(json.dumps({
    "variables": sorted(name for name in os.environ if name.startswith(("ONEDNN", "DNNL", "XLA", "OMP"))),
    "keras": [keras.config.backend(), keras.config.floatx(), keras.config.image_data_format()],
    "threads": tf.config.threading.get_intra_op_parallelism_threads(),
}))
"""


def test_a_training_runs_with_what_the_parameters_say(tmp_path: Path) -> None:
    """In a process of its own, with a shell and a keras.json that would change every bit."""
    (tmp_path / ".keras").mkdir()
    settings = {"floatx": "float64", "epsilon": 1e-3, "backend": "jax", "image_data_format": "channels_first"}
    (tmp_path / ".keras/keras.json").write_text(json.dumps(settings))
    environment = os.environ | FOREIGN | {"HOME": str(tmp_path), "PYTHONPATH": str(tiny.ROOT)}
    done = subprocess.run([sys.executable, "-c", IN_FORCE], env=environment, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["variables"] == []
    assert answer["keras"] == ["tensorflow", "float32", "channels_last"]
    assert answer["threads"] == 3
    assert done.stderr == ""  # not even the note on oneDNN, which TensorFlow writes before it reads its own settings


def test_what_is_hushed_is_shown_where_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed():
        os.write(2, b"a note\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(ImportError), hushed():
        os.write(2, b"a symbol is missing\n")
        raise ImportError
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "a symbol is missing\nlater\n"


ABORT = """
import os
from stages.train.environment import hushed
with hushed():
    os.write(2, b"a note")
    os.abort()
"""


def test_where_a_library_ends_the_process_the_line_is_shown() -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tiny.ROOT)}
    done = subprocess.run([sys.executable, "-c", ABORT], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode < 0
    assert "Aborted" in done.stderr and "line 6 in <module>" in done.stderr
