"""The one place that turns an exception into an exit code: of stages, of `ingest`, of the tools in `versions`."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from stages.common import logs, settings
from stages.common.errors import GlacierError, StorageError, UnexpectedError
from stages.common.run.disk import is_full, storage_error
from stages.common.run.replace import SCRATCH

DONE = 0

ROOT = Path(__file__).resolve().parents[3]


def exit_code_of(name: str, work: Callable[[], str | int | None]) -> int:
    """Set up the log, do `work` and return the exit code of the process; an error becomes one message on stderr.

    Parameters
    ----------
    name
        Stands before each line of the log, and names the file of a traceback.
    work
        Returns nothing, an exit code of its own, or a text to print.

    Returns
    -------
    int
        0 done, 1 a gate failed, 2 bad input or a bad parameter, 3 anything unexpected (`stages.common.errors`).
    """
    try:
        logs.configure(name)
        result = work()
    except Exception as error:
        return fail(name, error)
    if isinstance(result, int):
        return result
    return DONE if result is None else show(name, result)


def show(name: str, text: str) -> int:
    """Print the result of finished work; return its exit code: 0 also where nobody reads on, as in ``| head``."""
    try:
        print(text, flush=True)
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):  # else the interpreter tries again at its end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return DONE
        cannot = "the work is done, and its result cannot be printed"
        where, fix = "standard output", "print it to a place with room, then run this again"
        return fail(name, StorageError(cannot, where=where, found=str(error), fix=fix))
    return DONE


def fail(name: str, error: Exception) -> int:
    """Print the message of an error, keep the traceback of an unexpected one, and return the exit code."""
    explained = error if isinstance(error, GlacierError) and not is_full(error) else storage_error(error)
    explained = explained or _unexpected(name, error)
    print(settings.without_secrets(f"{name}: {explained}"), file=sys.stderr)
    return explained.exit_code


def traceback_file(name: str) -> Path:
    """Return where the traceback of an unexpected error is kept, relative to the site's folder."""
    return SCRATCH / f"traceback-{name.replace('/', '-')}.txt"


def _unexpected(name: str, error: Exception) -> UnexpectedError:
    text = settings.without_secrets("".join(traceback.format_exception(error)))
    path = traceback_file(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        place = f"in {path}"
    except OSError:  # a full disk, or a container that may write nothing
        print(text, file=sys.stderr)
        place = "above"
    return UnexpectedError(
        "the run ended with an unexpected error",
        where=_line_of_ours(error),
        found=" ".join(f"{type(error).__name__}: {error}".split())[:300],
        fix=f"the traceback stands {place}: report it with that text, unless the line above shows what to correct",
    )


def _line_of_ours(error: Exception) -> str:
    """Return the innermost line of the project's own code, as ``stages/labels/label.py:53``."""
    frames = [Path(frame.filename).resolve() for frame in traceback.extract_tb(error.__traceback__)]
    numbers = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)]
    places = [
        f"{path.relative_to(ROOT)}:{number}"
        for path, number in zip(frames, numbers, strict=True)
        if path.is_relative_to(ROOT) and ".venv" not in path.parts and path != Path(__file__).resolve()
    ]
    return places[-1] if places else ""
