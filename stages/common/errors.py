"""One family of errors: each says what is wrong, where, what was expected and found, and the fix."""

from __future__ import annotations


class GlacierError(Exception):
    """Root of all errors a user can cause and mend.

    Parameters
    ----------
    what
        One sentence: what is wrong.
    where
        File, parameter or column it was found in.
    expected, found
        The rule and the offending value.
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
        return "\n".join(lines)


class ParamsError(GlacierError):
    """params.yaml breaks its schema."""


class InputError(GlacierError):
    """A file given by the user cannot be used."""


class ContractError(GlacierError):
    """A stage's input or output is not what its contract says."""


class GateError(GlacierError):
    """A sanity or quality gate failed: the numbers cannot be true."""

    exit_code = 1
