"""Tracking through a real server on loopback, which keeps the artifacts (proxied)."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from stages.track import contract
from tests.track import pipeline


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture
def server(tmp_path, empty_database):
    uri = f"http://127.0.0.1:{free_port()}"
    home = tmp_path / "server"
    home.mkdir()
    shutil.copy(empty_database, home)
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{home}/mlflow.db",
        "--artifacts-destination", str(home / "artifacts"), "--host", "127.0.0.1", "--port", uri.rsplit(":", 1)[1],
        "--workers", "1",
    ]  # fmt: skip
    environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, stdout=log, stderr=log, env=environment, start_new_session=True)
    try:
        wait(uri, process)
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=60)


def wait(uri, process, *, limit_s=90):
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{uri}/health", timeout=2):
            return
        time.sleep(0.3)
    pytest.fail("the server does not answer")


def read(uri, path):
    with urllib.request.urlopen(f"{uri}/{path}", timeout=20) as answer:
        return answer.read()


@pytest.mark.enable_socket
def test_tracking_through_a_server(site, server):
    site.uri = server
    site.track()
    site.track()
    (run,) = site.runs()
    assert run.info.status == "FINISHED"
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert site.points(run, "glacier_area_km2") == [(2020, 5.0), (2021, 4.9), (2022, 4.8)]
    assert [step for step, _ in site.points(run, "iou")] == list(range(pipeline.EPOCHS))
    assert site.challenger() == "1"
    graph = read(server, f"get-artifact?path=report/glacier_retreat_graph.png&run_uuid={run.info.run_id}")
    assert graph == (site.folder / "artifacts/report/glacier_retreat_graph.png").read_bytes()
    pipeline.write_inputs(site.folder, weight=0.6)
    site.track()
    assert (len(site.runs()), len(site.versions()), site.challenger()) == (2, 2, "2")
    stored = list((site.root / "server/artifacts").rglob("model.onnx"))
    assert (site.folder / contract.MODEL).read_bytes() in [one.read_bytes() for one in stored]
    assert not (site.root / "mlruns/artifacts").exists()
