"""An address that cannot be that of a store is refused before MLflow is loaded, which would repeat it for minutes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from stages.common.errors import InputError
from stages.track.address import require_address, require_database, sqlite_file

FIX = "bring back a copy"


@pytest.mark.parametrize(
    "uri",
    [
        "http://host:5000", "https://me:secret@host/path", "http://[::1]:5000", "sqlite:///mlruns/mlflow.db", "mlruns",
        "sqlite+pysqlite:////a%20b/mlflow.db", "postgresql+psycopg2://me:secret@db/mlflow", "mysql+pymysql://db/x",
        "file:///mlruns", "/data/mlruns", "databricks", "databricks://profile",
    ],
)  # fmt: skip
def test_addresses_that_mlflow_knows(uri: str) -> None:
    require_address(uri)


@pytest.mark.parametrize(
    "uri",
    ["ftp://host", "gopher://x", "http://", "https://:5000", "http://[::1", "s3://me:secret@bucket/x", "htp:host"],
)
def test_other_addresses_are_refused_without_their_password(uri: str) -> None:
    with pytest.raises(InputError, match="no address that MLflow knows") as caught:
        require_address(uri)
    assert "MLFLOW_TRACKING_URI" in caught.value.fix
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:////a/b.db", "/a/b.db"), ("sqlite:///b.db?timeout=1", "b.db"),
        ("sqlite+pysqlite:////a%3Fb.db", "/a?b.db"),
        ("sqlite://", None), ("sqlite:///:memory:", None), ("postgresql://db/mlflow", None), ("http://host", None),
    ],
)  # fmt: skip
def test_the_file_of_an_address(uri: str, path: str | None) -> None:
    assert sqlite_file(uri) == (Path(path) if path else None)


@pytest.mark.parametrize(
    "content", [b"hello", b"<html/>" * 999, b"SQLite format 3\0" + b"\xff" * 4000, b"PK\3\4" * 300]
)
def test_a_file_that_is_no_database(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no database") as caught:
        require_database(path, FIX)
    assert (caught.value.where, caught.value.fix) == (str(path), FIX)
    assert path.read_bytes() == content


def test_what_is_no_file_and_a_place_that_cannot_be(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no file"):
        require_database(tmp_path, FIX)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is no database"):
        require_database(tmp_path / "file/below/mlflow.db", FIX)


def test_databases_new_empty_whole_and_locked_are_left_to_mlflow(tmp_path: Path) -> None:
    path = tmp_path / "new/mlflow.db"
    require_database(path, FIX)
    assert not path.exists()
    path.touch()
    require_database(path, FIX)
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("CREATE TABLE runs (name TEXT)")
    require_database(path, FIX)
    writer.execute("BEGIN EXCLUSIVE")
    require_database(path, FIX)
    writer.close()
