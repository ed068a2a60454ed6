"""Run DVC and git in a site's folder, and turn their failures into errors."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from stages.common import settings
from stages.common.errors import InputError
from stages.common.revision import run_git
from stages.common.run.environment import DECIDED
from versions.tools.cut_short import copies_kept
from versions.tools.waiting import wait_for_dvc

Done = subprocess.CompletedProcess[str]

BUSY = re.compile(r"Unable to acquire lock|is busy, it is being blocked by")
"""DVC's words where another command has come first."""

OF_ANOTHER_OWNER = re.compile(r"repository path '(.+?)/?' is not owned by current user")
"""Words of DVC's own git, which the settings of `run_git` do not reach."""

INTERRUPTED_S = 0.25
"""Time in which DVC may end by itself when a command is interrupted, as `subprocess.run` gives it."""

COMMAND_LINE = "> docker/run "
"""Start of the line with which DVC shows a stage's command."""

WRITING = frozenset({"repro", "commit", "add"})
"""Commands of DVC that write dvc.lock or a .dvc file."""

ROOT = Path(__file__).resolve().parents[2]
"""Root of the repository that this code stands in."""

AS_NO_HOME = {"HOME": str(ROOT / ".dvc/tmp/home"), "XDG_CONFIG_HOME": str(ROOT / ".dvc/tmp/home/.config")}
"""Stand for a home that cannot be read; libraries may put what they keep there."""


def environment() -> dict[str, str]:
    """Return the environment of a command: this interpreter's programs come first, and it finds this code.

    What DVC sets for a stage is no setting of a command.
    """
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    inherited = {name: value for name, value in os.environ.items() if name not in settings.SET_BY_DVC}
    return {**inherited, **DECIDED, **readable_home(), "PATH": path, "PYTHONPATH": str(ROOT)}


def readable_home() -> dict[str, str]:
    """Return the home that DVC and git run with where the user's own cannot be read, and say so once; else nothing.

    DVC ends with a traceback where a home is another user's, closed, or no folder; one that is absent does no harm.
    """
    try:
        home = Path.home()
    except RuntimeError:  # no HOME, and the system does not know this user, as in containers
        return AS_NO_HOME
    return _readable_home(home, Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config"))


@functools.cache
def _readable_home(home: Path, configuration: Path) -> dict[str, str]:
    for path in (home / ".gitconfig", configuration / "git/config", configuration / "dvc/config"):
        try:
            path.open("rb").close()
        except FileNotFoundError:
            continue
        except OSError as error:
            fix = "make it readable for this user, or set HOME to a folder of your own"
            print(f"your settings of git and DVC are left out: {path}: {error.strerror}; fix: {fix}", file=sys.stderr)
            return AS_NO_HOME
    return {}


def run_quietly(command: Sequence[str], folder: Path) -> Done:
    """Run a command in a folder, its output kept: in UTF-8, whatever the terminal's encoding is."""
    return subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, encoding="utf-8", errors="replace", check=False
    )


def run_dvc(site: Path, *arguments: str, then: Sequence[str] = ()) -> Done:
    """Run the DVC of this interpreter, its output kept; wait while another command uses DVC (`wait_for_dvc`).

    A second command, `then`, runs in the same process where the first one succeeds. What a dry run says of DVC's cache
    is true here (`versions.tools.dvc_commands`).
    """
    command, since = [sys.executable, "-m", "dvc", *arguments], time.monotonic()
    if then or "--dry" in arguments:
        command[2:] = ["versions.tools.dvc_commands", json.dumps([arguments, then] if then else [arguments])]
    while True:
        wait_for_dvc(site, arguments[0], since=since)
        with copies_kept(site) if arguments[0] in WRITING else contextlib.nullcontext():
            done = run_quietly(command, site)
        if (
            not done.returncode
            or not BUSY.search(done.stderr)
            or time.monotonic() - since > settings.number(settings.DVC_WAIT, 600, least=0)
        ):
            return done


def stream_dvc(site: Path, *arguments: str) -> int:
    """Run the DVC of this interpreter, its output as it comes; return its exit code. It waits as `run_dvc`.

    DVC names the stage, and below it the command: that line begins with ``docker/run``, and is shown where a container
    runs it.
    """
    command = [sys.executable, "-m", "dvc", *arguments]
    native = settings.get(settings.RUNNER, "native") == "native"
    wait_for_dvc(site, arguments[0], since=time.monotonic())
    with (
        copies_kept(site) if arguments[0] in WRITING else contextlib.nullcontext(),
        subprocess.Popen(
            command, cwd=site, env=environment(), stdout=subprocess.PIPE, encoding="utf-8", errors="replace"
        ) as process,
    ):
        try:
            for line in process.stdout or ():
                if not (native and line.startswith(COMMAND_LINE)):
                    print(line, end="", flush=True)
        except BaseException:  # interrupted: nothing of DVC goes on while its files are put right
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(INTERRUPTED_S)
            process.kill()
            raise
    return process.returncode


def require(done: Done, *, what: str, fix: str) -> str:
    """Return the output of a command that had to succeed.

    Raises
    ------
    InputError
        It failed: `what` went wrong, the command's last words, and the fix.
    """
    if done.returncode:
        words = last_words(done)
        if owned := OF_ANOTHER_OWNER.search(words):
            fix = (
                f"`git config --global --add safe.directory {owned[1]}`, if you trust who owns it; then run this again"
            )
        raise InputError(what, where=" ".join(done.args[-4:]), found=words, fix=fix)
    return done.stdout.strip()


def last_words(done: Done) -> str:
    """Return a command's error message, without the hints and decorations around it."""
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("ERROR", "error", "fatal"))]
    return " ".join((errors or lines)[-2:])[:500]


def in_git(site: Path) -> bool:
    """Whether the site stands in a git repository with a commit."""
    return run_git(site, "rev-parse", "--verify", "--quiet", "HEAD").returncode == 0


def default_remote(site: Path) -> str:
    """Return the address of DVC's default remote; empty where there is none."""
    name = run_dvc(site, "config", "core.remote").stdout.strip()
    url = run_dvc(site, "config", f"remote.{name}.url").stdout.strip() if name else ""
    # A folder's path is kept relative to the file that names it.
    return str((settings.repository_root() / ".dvc" / url).resolve()) if url and "://" not in url else url
