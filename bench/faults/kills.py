"""Commands killed at random instants, all in a row, each kill written down before the next.

Each command is killed with all that it has started, after a time that is uniform between 0 and what a whole run of it
takes. Before `repro` and `retrain` the result of a stage is removed, with DVC's copies of it, so that a stage runs.
After each round of all commands `repro` must come to its end with the hashes of the beginning.
"""

from __future__ import annotations

import contextlib
import csv
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import yaml

from bench.faults.commands import COMMANDS, YEARS, environment, finish, make_repository, start

COLUMNS = ("number", "command", "after_s", "of_s", "outcome", "afterwards")
KILLED = "killed"
PINNED = ("data.dvc", "dvc.lock")

COMMITTED = ".git/refs/heads/main"
"""Is there once the site is whole."""

RESULTS = (
    "labels",
    "train",
    "evaluate",
    "area",
    "report",
    *(f"{s}/{y}" for s in ("prepare", "predict") for y in YEARS),
)
"""Results of which one is removed before a run, so that it has something to do."""


def kill_often(folder: Path, record: Path, count: int, minutes: float, seed: int) -> None:
    """Kill until the record has `count` kills, beginning where an earlier run has stopped; then all commands end.

    Parameters
    ----------
    folder
        Holds the site; it is made where it is absent.
    record
        CSV of `COLUMNS`.
    """
    site = folder / "site"
    if not (site / COMMITTED).is_file():
        shutil.rmtree(site, ignore_errors=True)
        make_repository(site)
    rows = read(record)
    finish(site, "repro")  # where an earlier run of this was stopped in the middle
    seconds = {row["command"]: float(row["of_s"]) for row in rows}
    seconds |= {
        name: finish(_prepared(site, name, random.Random(seed)), name) for name in COMMANDS if name not in seconds
    }
    print({name: round(value, 1) for name, value in seconds.items()}, "seconds for a whole run", flush=True)
    began, number = time.monotonic(), len(rows)
    while sum(row["outcome"] == KILLED for row in rows) < count and time.monotonic() - began < 60 * minutes:
        name, instants = list(COMMANDS)[number % len(COMMANDS)], random.Random(f"{seed} {number}")
        after_s = instants.uniform(0, seconds[name])
        outcome = kill_once(_prepared(site, name, instants), name, after_s)
        afterwards = end_of_round(site) if name == list(COMMANDS)[-1] else ""
        number += 1
        values = (number, name, f"{after_s:.1f}", f"{seconds[name]:.1f}", outcome, afterwards)
        rows = append(record, dict(zip(COLUMNS, map(str, values), strict=True)))
    for name in COMMANDS:
        finish(site, name)
    print(Counter((row["command"], row["outcome"]) for row in rows))
    print(f"all commands end; {hashes(site)}; left beside results: {leftovers(site) or 'nothing'}")


def read(record: Path) -> list[dict[str, str]]:
    """Return the rows of the record; none where there is no file."""
    if not record.exists():
        return []
    with record.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def append(record: Path, row: dict[str, str]) -> list[dict[str, str]]:
    """Add a row to the record, print it, and return all rows."""
    is_new = not record.exists()
    with record.open("a", encoding="utf-8", newline="") as lines:
        table = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
        if is_new:
            table.writeheader()
        table.writerow(row)
    print(*row.values(), flush=True)
    return read(record)


def kill_once(site: Path, name: str, after_s: float) -> str:
    """Kill a command and all that it started after some seconds; return how it ended."""
    process = start(site, COMMANDS[name])
    try:
        output, _ = process.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return KILLED
    if process.returncode not in (0, 1):
        print(f"{name} ended with {process.returncode} before its kill:\n{output[-1500:]}", flush=True)
    return f"ended with {process.returncode}"


def end_of_round(site: Path) -> str:
    """Let `repro` come to its end; say what the site is then."""
    finish(site, "repro")
    return f"repro ends: {hashes(site)}, {len(leftovers(site))} leftovers"


def hashes(site: Path) -> str:
    """Say which of the files that pin results differ from the committed ones."""
    line = ["git", "status", "--porcelain", "--", *PINNED]
    changed = subprocess.run(line, cwd=site, env=environment(), capture_output=True, text=True, check=True).stdout
    return f"OTHER HASHES in {' '.join(changed.split())}" if changed else "the same hashes"


def leftovers(site: Path) -> list[str]:
    """Return what lies beside results and is none."""
    hidden = [
        path for part in ("artifacts", "data") for kind in (".*.old", ".*.tmp") for path in (site / part).rglob(kind)
    ]
    return sorted(path.name for path in hidden)


def _prepared(site: Path, name: str, choice: random.Random) -> Path:
    """Remove what a command is to make anew; return the site."""
    if name in ("repro", "retrain"):
        _forget(site, choice.choice(RESULTS))
    if name == "track":
        shutil.rmtree(site / "artifacts/track", ignore_errors=True)
    return site


def _forget(site: Path, result: str) -> None:
    """Remove a result and DVC's copies of it."""
    text = subprocess.run(["git", "show", "HEAD:dvc.lock"], cwd=site, capture_output=True, text=True, check=True).stdout
    cache = site / ".dvc/cache"
    outputs = [out for stage in yaml.safe_load(text)["stages"].values() for out in stage.get("outs", [])]
    for output in outputs:
        if output["path"] == f"artifacts/{result}":
            (cache / "files/md5" / output["md5"][:2] / output["md5"][2:]).unlink(missing_ok=True)
    shutil.rmtree(cache / "runs", ignore_errors=True)
    shutil.rmtree(site / "artifacts" / result, ignore_errors=True)
