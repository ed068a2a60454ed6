"""One family of errors: each says what is wrong, where, what was expected and found, and the fix.

The exit code of a process is that of its error: 1 a gate failed, 2 bad input or a bad parameter, 3 unexpected
(`stages.common.run.exit_code`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Characters that would move the cursor or change the colours of whoever reads a message."""


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """Return a question with the name that is spelt most like `word`, to end a sentence with; empty where none is."""
    nearest = difflib.get_close_matches(word, sorted(names), n=1)
    return f": did you mean {nearest[0]}?" if nearest else ""


class GlacierError(Exception):
    """Root of all errors that end a run with a message instead of a traceback.

    Parameters
    ----------
    what
        What is wrong, in one sentence.
    where
        File, parameter or column that it concerns.
    expected, found
        The rule and the value that breaks it.
    fix
        What to do about it.
    """

    exit_code = 2

    def __init__(
        self, what: str, *, where: object = "", expected: object = "", found: object = "", fix: str = ""
    ) -> None:
        self.what = what
        self.where = str(where)
        self.expected = str(expected)
        self.found = str(found)
        self.fix = fix
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
        for name in ("where", "expected", "found", "fix"):
            value = getattr(self, name)
            if value:
                lines.append(f"  {name + ':':<10}{value}")
        return CONTROL.sub("?", "\n".join(lines))


class ParamsError(GlacierError):
    """params.yaml breaks its schema."""


class InputError(GlacierError):
    """A file given by the user cannot be used."""


class ContractError(GlacierError):
    """A stage's input or output is not what its contract says."""


class StorageError(GlacierError):
    """The disk is full or fails, or a place on it cannot be written or read: a fault of the machine."""

    exit_code = 3


class SettingError(GlacierError):
    """An environment variable has a value that is not allowed."""


class UnexpectedError(GlacierError):
    """Nobody foresaw this: a fault of the program or of the machine, and not of the input as far as is known."""

    exit_code = 3


class GateError(GlacierError):
    """A sanity or quality gate failed: the numbers cannot be true."""

    exit_code = 1
