"""How a process starts: the shell's settings are set aside, and an error while modules are imported has its code."""

from __future__ import annotations

import codecs
import contextlib
import gc
import logging
import sys
import time
from collections.abc import Iterator

from stages.common.run.environment import set_aside
from stages.common.run.exit_code import exit_code_of, fail

PLAIN = str.maketrans(
    {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{HORIZONTAL ELLIPSIS}": "...", "\N{SUPERSCRIPT TWO}": "2",
     "\N{PLUS-MINUS SIGN}": "+-", "\N{MULTIPLICATION SIGN}": "x"}
)  # fmt: skip
"""Signs for a terminal that has no others."""


@contextlib.contextmanager
def starting(name: str, module: str, *, command: bool = False) -> Iterator[None]:
    """Import a program's modules within this block: the shell's settings do not reach them.

    An error ends the process with exit code 3 and leaves its traceback in a file.

    Parameters
    ----------
    name
        Name of the stage or command, which stands before each line of the log.
    module
        ``__name__`` of the caller: nothing happens where it is imported by other code.
    command
        Whether it is no stage, but calls DVC, git and stages.
    """
    if module != "__main__":
        yield
        return
    names = set_aside(name, command=command)
    time.tzset()
    print_anywhere()
    if names and (code := exit_code_of(name, lambda: _report(name, names))):
        raise SystemExit(code)
    try:
        with _without_collector(), contextlib.nullcontext() if command else _without_cloud_client():
            yield
    except Exception as error:
        raise SystemExit(fail(name, error)) from None


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Import without looking for garbage, of which there is hardly any: a tenth of the time that imports take.

    Later on what was imported is left out of the search.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def _without_cloud_client() -> Iterator[None]:
    """Let rasterio be imported without boto3, which it imports wherever that is installed: no stage needs it for that.

    It would take a third of a second of each stage. Afterwards boto3 can be imported as before: MLflow may need it.
    """
    if "boto3" in sys.modules:
        yield
        return
    sys.modules["boto3"] = None  # type: ignore[assignment]  # what an import then finds is that there is none
    try:
        yield
    finally:
        del sys.modules["boto3"]


def print_anywhere() -> None:
    """Let no sign that the terminal's encoding lacks end the process: it is replaced by one that resembles it."""
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(PLAIN)
    return text.encode("ascii", "replace").decode(), error.end


def _report(name: str, names: list[str]) -> None:
    logging.getLogger(name).warning(
        "set aside, as parameters alone decide a result (docs/operations.md): %s", ", ".join(names)
    )
