"""``make rollback``: make the champion before the present one champion again."""

from __future__ import annotations

from pathlib import Path

from stages.common.run.start import starting

with starting("rollback", __name__, command=True):
    from stages.common.run.exit_code import exit_code_of
    from versions.promote.promote import rollback
    from versions.tools.cut_short import working_on_site

if __name__ == "__main__":
    raise SystemExit(exit_code_of("rollback", working_on_site("rollback")(lambda: rollback(Path.cwd()))))
