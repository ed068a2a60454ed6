"""What a training runs with: every environment variable that can change a bit of the model is decided here.

Values that the shell sets are removed before TensorFlow is imported. A model then follows from ``params.yaml``, the
data and the processor, and its card lists what was in force.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

BIT_CHANGING = ("TF_", "KERAS_", "XLA_", "ONEDNN_", "DNNL_", "OMP_", "KMP_", "GOMP_", "MKL_", "CUDNN_", "CUBLAS_",
                "NVIDIA_TF32_")  # fmt: skip
"""Beginnings of the names that TensorFlow, Keras, oneDNN, OpenMP, XLA and CUDA's libraries read. Among them: the
instruction set, the precision of products, the number of threads, fused operations, the backend, a bound on epochs."""

HARMLESS = ("TF_CPP_", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR", "TF_CLI_", "TF_VAR_", "TF_PLUGIN_")
"""Beginnings of those among them that are left as they are: logging, the GPU's memory, and variables of Terraform."""

INSTRUCTION_SET, ONEDNN = "ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"
"""The bound on the instructions that oneDNN uses inside TensorFlow, and whether oneDNN is used at all."""

ONEDNN_OFF = "oneDNN off"

LEVELS = (
    ("AVX512_CORE_AMX", "amx_tile"),
    ("AVX512_CORE_BF16", "avx512_bf16"),
    ("AVX512_CORE_VNNI", "avx512_vnni"),
    ("AVX512_CORE", "avx512bw"),
    ("AVX2", "avx2"),
    ("AVX", "avx"),
    ("SSE41", "sse4_1"),
)
"""oneDNN's names of instruction sets, best first, each with the flag of /proc/cpuinfo that shows it."""

NEURAL = frozenset({"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"})
"""Flags of the processors on which TensorFlow by itself uses oneDNN."""


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Return the features that the system lists of the processor; empty where it lists none."""
    try:
        return frozenset(cpuinfo.read_text(encoding="utf-8").split())
    except OSError:
        return frozenset()


def training_variables(instruction_set: str, flags: frozenset[str]) -> dict[str, str]:
    """Return the variables that a training sets: the backend, no file of Keras settings, oneDNN and its bound.

    Parameters
    ----------
    instruction_set
        A name of `LEVELS`: oneDNN is used up to it, so that processors that have it give the same bits. Or 'native':
        oneDNN is used without a bound on the processors of `NEURAL`, and not on others.
    flags
        Features of the processor. On others than x86-64 TensorFlow decides.
    """
    variables = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": os.devnull}
    if instruction_set != "native":
        variables[INSTRUCTION_SET] = instruction_set
    if "sse4_1" in flags:
        variables[ONEDNN] = "1" if instruction_set != "native" or flags & NEURAL else "0"
    return variables


def foreign_settings(environment: Mapping[str, str], decided: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a shell that could change a bit and differ from what is decided."""
    return {
        name: value
        for name, value in sorted(environment.items())
        if name.startswith(BIT_CHANGING) and not name.startswith(HARMLESS) and decided.get(name) != value
    }


def pin_environment(instruction_set: str) -> dict[str, str]:
    """Set what a training runs with and remove all else that could change a bit; before TensorFlow is imported.

    Returns
    -------
    dict
        What the shell had set and does not apply.
    """
    decided = training_variables(instruction_set, cpu_flags())
    foreign = foreign_settings(os.environ, decided)
    for name in foreign:
        os.environ.pop(name)
    os.environ.update(decided)
    return foreign


def instruction_set_in_force(environment: Mapping[str, str], flags: frozenset[str]) -> str:
    """Return the best of `LEVELS` that oneDNN may use and the processor has, 'oneDNN off', or 'unknown'."""
    if environment.get(ONEDNN) == "0":
        return ONEDNN_OFF
    names = [name for name, _ in LEVELS]
    start = names.index(environment[INSTRUCTION_SET]) if INSTRUCTION_SET in environment else 0
    return next((name for name, flag in LEVELS[start:] if flag in flags), "unknown")
