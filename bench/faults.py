"""The product killed, and on a full disk: nothing lost, nothing in the way of the next run, the same bytes at the end.

    python -m bench.faults --kills 100        # ingest, repro, retrain, promote: kill -9 at a random instant of each
    python -m bench.faults --disk             # ingest on disks of growing size (root on Linux: it mounts a tmpfs)

The site is that of `sandbox.tiny`, a repository of its own. Each command is killed with all that it has started, after
a time that is uniform between 0 and what a whole run of it takes. After the last kill each command runs to its end,
and data.dvc and dvc.lock must name the same hashes as before.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from sandbox import tiny

ROOT = tiny.ROOT
PYTHON = sys.executable
COMMANDS = {
    "ingest": [str(ROOT / "bin/ingest"), "."],
    "repro": [str(ROOT / "bin/repro"), "."],
    "track": [PYTHON, "-m", "dvc", "repro", "--force", "--single-item", "track"],
    "retrain": [PYTHON, "-m", "versions.retrain", "--base", "HEAD"],
    "promote": [PYTHON, "-m", "versions.promote"],
}
MAY_FAIL_A_GATE = ("repro", "retrain", "promote")
"""A made-up glacier need not pass the gates: exit code 1 is an end too."""

PINNED = ("data.dvc", "dvc.lock")
DISKS_KB = (50, 100, 200, 300, 400, 450, 500, 550, 600, 625, 650, 675, 700, 725, 750, 775, 800, 1000, 2000)


def main() -> None:
    """Run the parts that the command line names, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=0, help="number of kills")
    parser.add_argument("--disk", action="store_true", help="try ingest on small disks")
    parser.add_argument("--seed", type=int, default=1, help="seed of the instants")
    arguments = parser.parse_args()
    if arguments.disk:
        measure_disks()
    if arguments.kills:
        with tempfile.TemporaryDirectory() as folder:
            kill_often(make_repository(Path(folder)), arguments.kills, random.Random(arguments.seed))


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


def kill_often(site: Path, count: int, instants: random.Random) -> None:
    """Kill the commands in turn, then run each of them to its end and compare the hashes."""
    seconds = {name: finish(site, name) for name in COMMANDS}
    print({name: round(value, 1) for name, value in seconds.items()}, "seconds for a whole run", flush=True)
    before = {name: (site / name).read_text() for name in PINNED}
    killed: Counter[str] = Counter()
    for number in range(count):
        name = list(COMMANDS)[number % len(COMMANDS)]
        killed[f"{name}: {kill_once(site, name, instants.uniform(0, seconds[name]))}"] += 1
        print(f"{number + 1} {dict(killed)}", flush=True)
    for name in COMMANDS:
        finish(site, name)
    for name, text in before.items():
        print(f"{name}: {'the same hashes' if (site / name).read_text() == text else 'OTHER HASHES'}")
    leftovers = [path.name for part in ("artifacts", "data") for path in (site / part).rglob(".*.old")]
    print(f"left beside results: {leftovers or 'nothing'}")


def kill_once(site: Path, name: str, after_s: float) -> str:
    """Kill a command and all that it started after some seconds; return how it ended."""
    if name == "repro":
        shutil.rmtree(site / "artifacts/prepare/2021", ignore_errors=True)
        shutil.rmtree(site / "artifacts/area", ignore_errors=True)  # something to do
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


def measure_disks() -> None:
    """Run ingest on disks of growing size: a message and no data, or the whole data."""
    for kilobytes in DISKS_KB:
        with tempfile.TemporaryDirectory() as name:
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", name], check=True)
            try:
                print(f"{kilobytes} kB: {ingest_there(Path(name))}", flush=True)
            finally:
                subprocess.run(["umount", name], check=True)


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
