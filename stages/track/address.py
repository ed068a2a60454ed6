"""Whether an address can be that of a tracking store, before MLflow is asked: it repeats what fails for minutes."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stages.common import settings
from stages.common.errors import InputError

SERVERS = ("http", "https")
DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
SCHEMES = ("", "file", *SERVERS, *DATABASES, "databricks", "uc", "databricks-uc")
"""Beginnings of addresses that MLflow knows; a database may also name its driver, as ``postgresql+psycopg2``."""


def require_address(uri: str) -> None:
    """Check that MLflow knows such addresses, and that a server has a name.

    Raises
    ------
    InputError
        It knows none, or there is no name.
    """
    try:
        scheme, host = urlsplit(uri).scheme, urlsplit(uri).hostname
    except ValueError:  # brackets that do not close
        scheme, host = "", None
    if "://" not in uri and ":" not in uri:
        return  # the name of a folder, or databricks
    if scheme.split("+")[0] in SCHEMES[1:] and (host or scheme not in SERVERS):
        return
    raise InputError(
        "the tracking store has no address that MLflow knows", where=settings.TRACKING_URI,
        expected=f"http(s)://<host>:<port>, or {', '.join(f'{name}://...' for name in DATABASES)}",
        found=settings.without_secrets(uri), fix=f"correct {settings.TRACKING_URI}; unset it to log into mlruns/",
    )  # fmt: skip


def sqlite_file(uri: str) -> Path | None:
    """Return the file that an address of SQLite names; None where it is another address, or names none."""
    scheme, _, rest = uri.partition("://")
    path = unquote(rest.partition("?")[0].removeprefix("/"))
    return Path(path) if scheme.split("+")[0] == "sqlite" and path and not path.startswith(":memory:") else None


def require_database(path: Path, fix: str) -> None:
    """Check that a file is a database of SQLite, is empty, or can be made.

    Raises
    ------
    InputError
        It is something else; `fix` says what to do then.
    """
    expected = "a SQLite file, or nothing yet"
    if path.exists() and not path.is_file():
        raise InputError(
            "the tracking store is no file", where=path, expected=expected,
            found="a folder" if path.is_dir() else "neither file nor folder",
            fix="move it away: then a new store is begun",
        )  # fmt: skip
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        address = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=0)) as database:
            database.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:  # not there yet, locked, or to be recovered: MLflow sees to it
        return
    except (sqlite3.DatabaseError, OSError) as error:
        cause = f"{type(error).__name__}: {error}"
        raise InputError(
            "the tracking store is no database", where=path, expected=expected, found=cause, fix=fix
        ) from None
