"""What a training runs with: the variables of TensorFlow, Keras and oneDNN are decided here.

All that the shell sets of them is set aside before (`stages.common.run.environment`). A model then follows from
``params.yaml``, the data and the processor, and its card lists what was in force.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from stages.common.run.environment import set_aside

INSTRUCTION_SET, ONEDNN = "ONEDNN_MAX_CPU_ISA", "TF_ENABLE_ONEDNN_OPTS"
"""The bound on the instructions that oneDNN uses inside TensorFlow, and whether oneDNN is used at all."""

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
        as far as the processor goes.
    flags
        Features of the processor. On x86-64 oneDNN is used on each, not only where TensorFlow would do so: bounded to
        AVX2, a step took two thirds of the processor time of one without. On others TensorFlow decides.
    """
    variables = {"KERAS_BACKEND": "tensorflow", "KERAS_HOME": os.devnull}
    if instruction_set != "native":
        variables[INSTRUCTION_SET] = instruction_set
    if "sse4_1" in flags:
        variables[ONEDNN] = "1"
    return variables


def pin_environment(instruction_set: str) -> None:
    """Set what a training runs with and remove all else that could change a bit; before TensorFlow is imported."""
    set_aside("train")
    os.environ.update(training_variables(instruction_set, cpu_flags()))


def instruction_set_in_force(environment: Mapping[str, str], flags: frozenset[str]) -> str:
    """Return the best of `LEVELS` that oneDNN may use and the processor has; 'unknown' on others than x86-64."""
    names = [name for name, _ in LEVELS]
    start = names.index(environment[INSTRUCTION_SET]) if INSTRUCTION_SET in environment else 0
    return next((name for name, flag in LEVELS[start:] if flag in flags), "unknown")


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Hold back what libraries write to standard error within this block; it is shown where the block fails.

    TensorFlow says which instructions it was built for while it loads, before it reads how much it shall say. Where a
    library ends the process, as it does on a processor without those, the line of code that it ended at is shown.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    if says_end := not faulthandler.is_enabled():
        faulthandler.enable(stderr)
    with tempfile.TemporaryFile() as messages:
        os.dup2(messages.fileno(), 2)
        try:
            yield
        except BaseException:
            messages.seek(0)
            os.write(stderr, messages.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            if says_end:
                faulthandler.disable()
            os.close(stderr)
