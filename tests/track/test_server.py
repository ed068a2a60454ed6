"""Tracking through a real server on loopback, which keeps the artifacts (proxied)."""

import shutil
import urllib.request

import pytest

from stages.track import contract
from tests.server import serve
from tests.track import pipeline


@pytest.fixture
def server(tmp_path, empty_database):
    home = tmp_path / "server"
    home.mkdir()
    shutil.copy(empty_database, home)
    with serve(home) as uri:
        yield uri


def read(uri, path):
    with urllib.request.urlopen(f"{uri}/{path}", timeout=20) as answer:
        return answer.read()


@pytest.mark.enable_socket
def test_tracking_through_a_server(site, server):
    site.uri = server
    pipeline.write_statistics(site.folder)
    site.track()
    site.track()
    (run,) = site.runs()
    assert run.info.status == "FINISHED"
    assert run.info.artifact_uri.startswith("mlflow-artifacts:/")
    assert site.points(run, "glacier_area_km2") == [(2020, 5.0), (2021, 4.9), (2022, 4.8)]
    assert [step for step, _ in site.points(run, "iou")] == list(range(pipeline.EPOCHS))
    assert site.points(run, "front_retreat_m/a") == list(zip(pipeline.YEARS, pipeline.FRONTS_M, strict=True))
    assert site.points(run, "input_drift/worst_band") == list(zip(pipeline.YEARS, pipeline.PSI, strict=True))
    change = read(server, f"get-artifact?path=report/change_map.png&run_uuid={run.info.run_id}")
    assert change == (site.folder / "artifacts/report/change_map.png").read_bytes()
    assert site.challenger() == "1"
    graph = read(server, f"get-artifact?path=report/glacier_retreat_graph.png&run_uuid={run.info.run_id}")
    assert graph == (site.folder / "artifacts/report/glacier_retreat_graph.png").read_bytes()
    pipeline.write_inputs(site.folder, weight=0.6)
    site.track()
    assert (len(site.runs()), len(site.versions()), site.challenger()) == (2, 2, "2")
    stored = list((site.root / "server/artifacts").rglob("model.onnx"))
    assert (site.folder / contract.MODEL).read_bytes() in [path.read_bytes() for path in stored]
    assert not (site.root / "mlruns/artifacts").exists()
