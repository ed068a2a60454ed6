"""How the commands of this package end: an error is one message, and becomes an exit code."""

from __future__ import annotations

from collections.abc import Callable

from stages.common import logs
from stages.common.errors import GlacierError


def run_command(name: str, work: Callable[[], str | int]) -> int:
    """Do `work` and return its exit code; a text that it returns is printed, and the exit code is 0."""
    log = logs.configure(name)
    try:
        result = work()
    except GlacierError as error:
        log.error("%s", error)
        return error.exit_code
    if isinstance(result, int):
        return result
    print(result)
    return 0
