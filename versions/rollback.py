"""``make rollback``: make the champion before the present one champion again."""

from __future__ import annotations

from pathlib import Path

from versions.promote.promote import rollback
from versions.tools.entry import run_command

if __name__ == "__main__":
    raise SystemExit(run_command("rollback", lambda: rollback(Path.cwd())))
