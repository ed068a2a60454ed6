"""A bar on a terminal, and nothing elsewhere: each in a process of its own, as a stage is."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

from sandbox import tiny

PROGRAM = """
import sys
import termios
from stages.common.run.progress import progress_bar
with progress_bar(40, name="predict", unit="row") as advance:
    advance(30)
    advance(10)
print("tqdm" in sys.modules)
"""


def run(stderr: int, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tiny.ROOT), "HOME": str(cwd), "TERM": "xterm"}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=cwd, env=environment, stdout=subprocess.PIPE, stderr=stderr, check=True
    )


def read_all(terminal: int) -> Iterator[str]:
    while True:
        try:
            yield os.read(terminal, 1000).decode()
        except OSError:  # its other side is closed, and nothing is left
            return


def test_a_terminal_shows_how_far_it_is(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    done = run(theirs, tmp_path)
    os.close(theirs)
    shown = "".join(read_all(ours))
    os.close(ours)
    assert "predict" in shown and "40/40" in shown and "row" in shown
    assert done.stdout.strip() == b"True"


def test_a_log_has_no_bar_and_needs_no_tqdm(tmp_path: Path) -> None:
    done = run(subprocess.PIPE, tmp_path)
    assert (done.stdout.strip(), done.stderr) == (b"False", b"")
