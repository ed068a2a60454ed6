"""`make move-runs`: after a checkout was moved, its store of runs names the folder in which it now lies.

    python -m versions.move_runs

MLflow freezes the folders of artifacts as absolute addresses. All that begin with the old one are written anew, in one
transaction: either all are, or the store is as it was. What lies on a server or elsewhere is left alone.
"""

from __future__ import annotations

import contextlib
import sqlite3
import sys
from pathlib import Path

from stages.common.run.start import starting

with starting("move-runs", __name__, command=True):
    from stages.common.errors import InputError
    from stages.common.run.exit_code import exit_code_of
    from stages.track.store import locate_store

ADDRESSES = (
    ("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"),
    ("model_versions", "source"), ("model_versions", "storage_location"),
)  # fmt: skip
"""Tables of MLflow's store and the columns that hold addresses of artifacts."""


def main() -> int:
    """Move the addresses; return the exit code."""
    return exit_code_of("move-runs", move_runs)


def move_runs() -> str:
    """Write the present folder into every address of an artifact, and say how many were changed.

    Raises
    ------
    InputError
        The store is not the project's own, does not exist yet or is not readable.
    """
    location = locate_store()
    if location.database is None or location.artifacts is None:
        raise InputError(
            "the tracking store is not the project's own, and nothing in it depends on this folder",
            where=location.public_uri, fix="unset MLFLOW_TRACKING_URI to move the runs in mlruns/",
        )  # fmt: skip
    if not location.database.is_file():
        raise InputError("there are no runs yet", where=location.database, fix="`make repro` logs the first one")
    try:
        with contextlib.closing(sqlite3.connect(location.database)) as database, database:
            changed = sum(
                _move(database, old, location.artifacts) for old in _old_folders(database, location.artifacts)
            )
    except sqlite3.Error as error:
        raise InputError(
            "the store of the runs cannot be changed", where=location.database, found=error,
            fix="close what else uses it (`make ui`), then run this again",
        ) from error  # fmt: skip
    return f"{changed} addresses of artifacts now begin with {location.artifacts}" if changed else "nothing was moved"


def _old_folders(database: sqlite3.Connection, artifacts: Path) -> list[str]:
    """Return the addresses of other folders called mlruns/artifacts that a site's experiment lies in."""
    rows = database.execute("SELECT name, artifact_location FROM experiments").fetchall()
    folders = {place.removesuffix(f"/{name}") for name, place in rows if place and place.endswith(f"/artifacts/{name}")}
    return sorted(folder for folder in folders if folder.startswith("file:") and folder != artifacts.as_uri())


def _move(database: sqlite3.Connection, old: str, artifacts: Path) -> int:
    """Replace the beginning `old` of every address; return how many had it."""
    changed = 0
    for table, column in ADDRESSES:
        rows = database.execute(
            f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
            (f"{artifacts.as_uri()}/", len(old) + 2, len(old) + 1, f"{old}/"),
        )
        changed += rows.rowcount
    return changed


if __name__ == "__main__":
    sys.exit(main())
