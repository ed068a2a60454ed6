"""Which instruction set oneDNN may use: with the number of threads, all that a training's bits depend on."""

from __future__ import annotations

from pathlib import Path

LEVELS = (
    ("AVX512_CORE_AMX", "amx_tile"),
    ("AVX512_CORE_BF16", "avx512_bf16"),
    ("AVX512_CORE_VNNI", "avx512_vnni"),
    ("AVX512_CORE", "avx512bw"),
    ("AVX2", "avx2"),
    ("AVX", "avx"),
    ("SSE41", "sse4_1"),
)
"""oneDNN's names (of ONEDNN_MAX_CPU_ISA), best first, each with the flag of /proc/cpuinfo that shows it."""


def effective(limit: str, *, cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Best level that this CPU has and `limit` permits ('native': no limit); 'unknown' where it can't be told."""
    try:
        flags = set(cpuinfo.read_text(encoding="utf-8").split())
    except OSError:
        return "unknown"
    names = [name for name, _ in LEVELS]
    start = 0 if limit == "native" else names.index(limit)
    return next((name for name, flag in LEVELS[start:] if flag in flags), "unknown")
