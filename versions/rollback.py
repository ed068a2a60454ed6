"""``make rollback``: the champion before the present one is champion again."""

from __future__ import annotations

from pathlib import Path

from versions.entry import run
from versions.promote import rollback

if __name__ == "__main__":
    raise SystemExit(run("rollback", lambda: rollback(Path.cwd())))
