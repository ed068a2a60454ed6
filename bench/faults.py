"""The product killed, and on a full disk: nothing lost, nothing in the way of the next run, the same bytes at the end.

    python -m bench.faults --kills 100        # ingest, repro, track, retrain, promote: kill -9 at a random instant
    python -m bench.faults --disk             # ingest on disks of growing size (root on Linux: it mounts a tmpfs)
    python -m bench.faults --disk-of prepare predict area report train      # these stages on such disks

The site is that of `sandbox.tiny`, a repository of its own. Each command is killed with all that it has started, after
a time that is uniform between 0 and what a whole run of it takes. After the last kill each command runs to its end,
and data.dvc and dvc.lock must name the same hashes as before.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sandbox import tiny

ROOT = tiny.ROOT
PYTHON = sys.executable
COMMANDS = {
    "track": [PYTHON, "-m", "stages.track"],
    "ingest": [str(ROOT / "bin/ingest"), "."],
    "repro": [str(ROOT / "bin/repro"), "."],
    "retrain": [PYTHON, "-m", "versions.retrain", "--base", "HEAD"],
    "promote": [PYTHON, "-m", "versions.promote"],
}
MAY_FAIL_A_GATE = ("repro", "retrain", "promote")
"""A made-up glacier need not pass the gates: exit code 1 is an end too."""

MADE_ANEW = {"repro": ("prepare/2021", "predict/2021"), "track": ("track",)}
"""Results that are removed before a command, so that it has something to do."""

PINNED = ("data.dvc", "dvc.lock")
DISK_SHARES = (0.0, 0.5, 0.9, 1.3, 8.0, 24.0)
"""Free space in shares of what the output of a stage takes; some need more while they work."""

DISKS_KB = (50, 100, 200, 300, 400, 450, 500, 550, 600, 625, 650, 675, 700, 725, 750, 775, 800, 1000, 2000)


def main() -> None:
    """Run the parts that the command line names, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=0, help="number of kills")
    parser.add_argument("--minutes", type=float, default=math.inf, help="most minutes of killing")
    parser.add_argument("--disk", action="store_true", help="try ingest on small disks")
    parser.add_argument("--disk-of", nargs="+", default=[], metavar="STAGE", help="try these stages on small disks")
    parser.add_argument("--seed", type=int, default=1, help="seed of the instants")
    arguments = parser.parse_args()
    if arguments.disk:
        measure_disks()
    if arguments.disk_of:
        with tempfile.TemporaryDirectory() as folder:
            site = make_repository(Path(folder))
            for stage in arguments.disk_of:
                measure_stage(site, stage)
    if arguments.kills:
        with tempfile.TemporaryDirectory() as folder:
            site, instants = make_repository(Path(folder)), random.Random(arguments.seed)
            kill_often(site, measure(site), arguments.kills, arguments.minutes, instants)


def environment() -> dict[str, str]:
    """Return the environment of the commands: this interpreter, this code, and an identity for git."""
    identity = {
        f"GIT_{who}_{what}": "bench@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
    return os.environ | identity | {"PATH": path, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "2"}


def start(site: Path, command: list[str]) -> subprocess.Popen[str]:
    """Start a command in a process group of its own."""
    return subprocess.Popen(
        command, cwd=site, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def make_repository(folder: Path) -> Path:
    """Make a site with git and DVC, its pipeline run and committed, its model champion; return its folder."""
    site = tiny.make_site(folder, years=(2020, 2021))
    (site / "dvc.yaml").unlink()
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, site)
    (site / "mlruns").mkdir()
    for line in ("git init -q -b main", "python -m dvc init -q", "python -m dvc config core.analytics false"):
        subprocess.run(line.split(), cwd=site, env=environment(), check=True)
    for name in ("ingest", "repro"):
        finish(site, name)
    for line in ("git add --all", "git commit -q -m first"):
        subprocess.run(line.split(), cwd=site, env=environment(), check=True)
    return site


def finish(site: Path, name: str) -> float:
    """Run a command to its end, and return its seconds; an end that is none is an error."""
    began = time.monotonic()
    process = start(site, COMMANDS[name])
    output, _ = process.communicate()
    if process.returncode not in ((0, 1) if name in MAY_FAIL_A_GATE else (0,)) or "Traceback" in output:
        raise SystemExit(f"{name} ended with {process.returncode}:\n{output[-3000:]}")
    return time.monotonic() - began


def measure(site: Path) -> dict[str, float]:
    """Run each command to its end; return the seconds that it takes."""
    seconds = {name: finish(site, name) for name in COMMANDS}
    print({name: round(value, 1) for name, value in seconds.items()}, "seconds for a whole run", flush=True)
    return seconds


def kill_often(site: Path, seconds: dict[str, float], count: int, minutes: float, instants: random.Random) -> None:
    """Kill the commands in turn, all in a row; after each round `repro` must come to its end, with the same hashes."""
    killed: Counter[str] = Counter()
    began = time.monotonic()
    for number in range(count):
        if time.monotonic() - began > 60 * minutes:
            break
        name = list(COMMANDS)[number % len(COMMANDS)]
        killed[f"{name}: {kill_once(site, name, instants.uniform(0, seconds[name]))}"] += 1
        print(f"{number + 1} {dict(killed)}", flush=True)
        if name == list(COMMANDS)[-1]:
            finish(site, "repro")
            print(f"repro ends; {hashes(site)}", flush=True)
    for name in COMMANDS:
        finish(site, name)
    print(f"all commands end; {hashes(site)}")
    leftovers = [path.name for part in ("artifacts", "data") for path in (site / part).rglob(".*.old")]
    print(f"left beside results: {leftovers or 'nothing'}")


def hashes(site: Path) -> str:
    """Say which of the files that pin results differ from the committed ones."""
    line = ["git", "status", "--porcelain", "--", *PINNED]
    changed = subprocess.run(line, cwd=site, env=environment(), capture_output=True, text=True, check=True).stdout
    return f"OTHER HASHES: {changed.split()}" if changed else "the same hashes"


def kill_once(site: Path, name: str, after_s: float) -> str:
    """Kill a command and all that it started after some seconds; return how it ended."""
    for folder in MADE_ANEW.get(name, ()):
        shutil.rmtree(site / "artifacts" / folder, ignore_errors=True)
    process = start(site, COMMANDS[name])
    try:
        output, _ = process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "killed"
    if process.returncode not in (0, 1):
        print(f"{name} ended with {process.returncode} before its kill:\n{output[-1500:]}")
    return f"ended with {process.returncode}"


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


if __name__ == "__main__":
    main()
