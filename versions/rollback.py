"""``make rollback``: the champion before the present one is champion again."""

from __future__ import annotations

from pathlib import Path

from versions.promote.promote import rollback
from versions.registry.entry import run

if __name__ == "__main__":
    raise SystemExit(run("rollback", lambda: rollback(Path.cwd())))
