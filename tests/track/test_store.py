"""Stores that cannot be used: one clear message, exit code 2, in seconds."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from sandbox import tiny
from stages.common.errors import InputError
from stages.track import store
from versions import move_runs


def message(site) -> InputError:
    with pytest.raises(InputError) as caught:
        site.track()
    assert not (site.folder / "artifacts/track").exists()
    return caught.value


def test_an_address_is_shown_without_credentials():
    assert store.Location("postgresql://me:secret@db/mlflow", None).public_uri == "postgresql://***@db/mlflow"
    assert store.Location("http://host:5000", None).public_uri == "http://host:5000"


@pytest.mark.parametrize("uri", ["http://host:5000", "https://host"])
def test_a_server_keeps_the_artifacts(uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    location = store.locate_store()
    assert (location.artifact_uri("tiny"), location.viewer) == (None, f"at {uri}")


@pytest.mark.enable_socket
def test_a_server_that_is_not_there(site):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        site.uri = f"http://127.0.0.1:{free.getsockname()[1]}"
        begun = time.monotonic()
        error = message(site)
    assert time.monotonic() - begun < 20
    assert "refused" in error.found
    assert error.where == site.uri
    assert "MLFLOW_TRACKING_URI" in error.fix


def test_the_command_says_so_with_exit_code_2(site):
    environment = {**os.environ, "PYTHONPATH": str(tiny.ROOT), "MLFLOW_TRACKING_URI": "http://127.0.0.1:9"}
    command = [sys.executable, "-m", "stages.track"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("track: the tracking store does not take the run\n")
    assert len(done.stderr.splitlines()) == 4
    assert done.stdout == ""


def test_a_broken_database(site):
    (site.root / "mlruns/mlflow.db").write_text("this is no database at all, nor was it ever one" * 30)
    error = message(site)
    assert "not a database" in error.found
    assert "bring back a copy of mlflow.db" in error.fix


@pytest.mark.parametrize(
    ("revision", "fix"),
    [
        pytest.param("451aebb31d03", "`mlflow db upgrade 'sqlite:///", id="older"),
        pytest.param("ffffffffffff", "use the checkout that has written it", id="newer"),
    ],
)
def test_a_database_of_another_mlflow_keeps_its_history(site, revision, fix):
    path = site.root / "mlruns/mlflow.db"
    with sqlite3.connect(path) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    database.close()
    before = path.read_bytes()
    error = message(site)
    assert "out-of-date database schema" in error.found
    assert fix in error.fix and "rename" not in error.fix
    assert path.read_bytes() == before


def test_both_kinds_of_quotes_are_refused(tmp_path, monkeypatch):
    (tmp_path / "q\"u'o/.dvc").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "q\"u'o")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(InputError, match="both kinds of quotes"):
        store.locate_store()


@pytest.mark.parametrize("name", ["a?b", "a%20b", "a#b", "100%", "Zürich", "a b"])
def test_the_store_lies_in_a_folder_of_any_name(name, tmp_path, monkeypatch):
    """The address of the store is made of the folder's path, in which these signs would have a meaning."""
    (tmp_path / name / ".dvc").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    location = store.locate_store()
    url = make_url(location.uri)
    assert (url.get_backend_name(), url.query) == ("sqlite", {})
    assert url.database == str(location.database) == str(tmp_path / name / "mlruns/mlflow.db")


def test_a_locked_database(site):
    site.uri = f"sqlite:///{site.root}/mlruns/mlflow.db?timeout=0.1"
    writer = sqlite3.connect(site.root / "mlruns/mlflow.db")
    try:
        writer.execute("BEGIN EXCLUSIVE")
        assert "locked" in message(site).found
    finally:
        writer.close()


def test_a_file_store_is_refused_by_mlflow_3(site):
    site.uri = f"file://{site.root}/mlruns"
    assert "MlflowException" in message(site).found


def test_a_database_without_its_driver(site):
    site.uri = "mssql+nodriver://me:secret@host/mlflow"
    error = message(site)
    assert "secret" not in str(error)


def test_a_moved_store_is_refused(site):
    site.track()
    old = site.root
    moved = site.root.rename(site.root.with_name("moved"))
    site.root, site.folder = moved, moved / "sites/tiny"
    site.monkeypatch.chdir(site.folder)
    with pytest.raises(InputError, match="moved") as caught:
        site.track()
    assert "`make move-runs`" in caught.value.fix
    (before,) = site.runs()
    site.monkeypatch.delenv("MLFLOW_TRACKING_URI")  # MLflow has written it
    assert move_runs.move_runs().endswith(f"begin with {moved}/mlruns/artifacts")
    assert move_runs.move_runs() == "nothing was moved"
    site.track()  # the state is known, and its model is read from where it now lies
    (run,) = site.runs()
    assert run.info.run_id == before.info.run_id
    assert run.info.artifact_uri.startswith(f"file://{moved}/mlruns/artifacts/tiny/")
    stored = site.client.download_artifacts(run.info.run_id, "area/trend.json")
    assert Path(stored).read_bytes() == (site.folder / "artifacts/area/trend.json").read_bytes()
    with sqlite3.connect(moved / "mlruns/mlflow.db") as database:
        text = "\n".join(database.iterdump())
    database.close()
    assert "/mlruns/artifacts" in text and f"{old}/" not in text


def test_a_deleted_experiment_is_refused(site):
    site.track()
    experiment = site.client.get_experiment_by_name("tiny")
    site.client.delete_experiment(experiment.experiment_id)
    with pytest.raises(InputError, match="deleted") as caught:
        site.track()
    assert f"--experiment-id {experiment.experiment_id}" in caught.value.fix
