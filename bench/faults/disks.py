"""Commands on disks that are too small: a message and no half result, or the whole result."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.faults.commands import PYTHON, start
from sandbox import tiny

DISK_SHARES = (0.0, 0.5, 0.9, 1.3, 8.0, 24.0)
"""Free space in shares of what the output of a stage takes; some need more while they work."""

DISKS_KB = (50, 100, 200, 300, 400, 450, 500, 550, 600, 625, 650, 675, 700, 725, 750, 775, 800, 1000, 2000)


@contextlib.contextmanager
def small_disk(kilobytes: int) -> Iterator[Path]:
    """Yield a folder that is a disk of this size."""
    with tempfile.TemporaryDirectory() as name:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", name], check=True)
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


def measure_disks() -> None:
    """Run ingest on disks of growing size: a message and no data, or the whole data."""
    for kilobytes in DISKS_KB:
        with small_disk(kilobytes) as disk:
            print(f"{kilobytes} kB: {ingest_there(disk)}", flush=True)


def measure_stage(site: Path, stage: str) -> None:
    """Run a stage of a finished site on disks that have room for a part of its output, and for all of it."""
    results = (Path("artifacts", stage, "2020"), Path("artifacts", stage))
    result = next(path for path in results if (site / path).is_dir())
    whole = contents(site / result)
    need_kb = sum(len(content) // 4096 * 4 + 4 for content in whole.values())  # in pages
    for share in DISK_SHARES:
        with small_disk(10**6) as disk:
            for name in ("data", "artifacts", "metrics", "params.yaml", "data.dvc"):
                copy = shutil.copytree if (site / name).is_dir() else shutil.copy2
                copy(site / name, disk / name)
            shutil.rmtree(disk / result)
            (disk / result).mkdir()
            (disk / result / "earlier").touch()
            free_kb = leave_free(disk, int(share * need_kb))
            print(f"{stage}, {free_kb} kB free of {need_kb} kB: {run_there(disk, stage, result, whole)}", flush=True)


def leave_free(disk: Path, free_kb: int) -> int:
    """Make a disk so small that this much is free; return what is."""
    space = os.statvfs(disk)
    used_kb = (space.f_blocks - space.f_bfree) * space.f_frsize // 1024
    subprocess.run(["mount", "-o", f"remount,size={used_kb + free_kb}k", str(disk)], check=True)
    space = os.statvfs(disk)
    return space.f_bavail * space.f_frsize // 1024


def run_there(disk: Path, stage: str, result: Path, whole: dict[str, bytes]) -> str:
    """Run a stage on a disk where an earlier result stands; say what came of it."""
    year = ["--year", result.name] if result.name.isdigit() else []
    process = start(disk, [PYTHON, "-m", f"stages.{stage}", *year])
    output, _ = process.communicate()
    messages = [line for line in output.splitlines() if line.startswith(stage)]
    words = "TRACEBACK" if "Traceback" in output else "".join(messages[-1:])
    now = contents(disk / result)
    state = "the whole result" if now == whole else "the earlier one" if now == {"earlier": b""} else "A MIX"
    return f"exit code {process.returncode}; {words}; {state}"


def contents(folder: Path) -> dict[str, bytes]:
    """Return all files of a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def ingest_there(disk: Path) -> str:
    """Make a site on a disk, its sources elsewhere; ingest, and say what came of it."""
    with tempfile.TemporaryDirectory() as name:
        source = tiny.make_site(Path(name), years=(2020, 2021)) / "source"
        tiny.write_params(disk, tiny.params(source, [2020, 2021]))
        process = start(disk, [PYTHON, "-m", "stages.ingest"])
        output, _ = process.communicate()
    words = next((line for line in output.splitlines() if line.startswith("ingest: ")), "no message")
    written = sorted(path.name for path in disk.iterdir() if path.name != "artifacts")
    return f"exit code {process.returncode}; {'TRACEBACK' if 'Traceback' in output else words}; {', '.join(written)}"
