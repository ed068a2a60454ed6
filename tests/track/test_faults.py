"""A run that is killed or fails on the way, and models whose bytes would change."""

import os
import signal
import sys

import pytest

from sandbox import tiny
from stages.common.errors import ContractError, InputError
from stages.track import contract, record
from tests import forked

KILLED = """
import os, signal
from stages.common.run.stage import main
from stages.track import contract, record, track
record._check_bytes = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
main(contract.CONTRACT, track.track, [])
"""


def test_a_killed_run_does_not_count(site):
    """Killed at the worst moment: the model is registered, but the run is not finished."""
    environment = {**os.environ, "PYTHONPATH": str(tiny.ROOT), "MLFLOW_TRACKING_URI": ""}
    done = forked.run((sys.executable, "-c", KILLED), env=environment)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (site.folder / "artifacts/track").exists()
    assert [run.info.status for run in site.runs()] == ["RUNNING"]
    assert len(site.versions()) == 1
    site.track()
    assert [run.info.status for run in site.runs()] == ["FINISHED", "FAILED"]
    assert site.versions() == ["2", "1"], "what a run has registered is never deleted"
    assert site.challenger() == "2"
    assert site.version("2").run_id == site.runs()[0].info.run_id


def test_a_failed_log_leaves_a_failed_run_and_no_state(site, monkeypatch):
    (site.root / "mlruns/artifacts").mkdir()
    (site.root / "mlruns/artifacts/tiny").write_text("in the way")
    with pytest.raises(InputError, match="does not take the run") as caught:
        site.track()
    assert "NotADirectoryError" in caught.value.found
    assert [run.info.status for run in site.runs()] == ["FAILED"]
    assert not (site.folder / "artifacts/track").exists()
    (site.root / "mlruns/artifacts/tiny").unlink()
    site.track()
    assert [run.info.status for run in site.runs()] == ["FINISHED", "FAILED"]


def test_a_model_that_onnx_would_write_differently_keeps_its_bytes(site):
    path = site.folder / contract.MODEL
    # The first field once more: a scalar may be repeated, the last one counts, and a rewrite drops the first.
    path.write_bytes(path.read_bytes()[:2] + path.read_bytes())
    site.track()
    (stored,) = (site.root / "mlruns/artifacts/tiny/models").rglob("model.onnx")
    assert stored.read_bytes() == path.read_bytes()


def test_loading_a_model_writes_nothing_into_the_store(site):
    import mlflow

    def stored() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (site.root / "mlruns").rglob("*") if path.is_file()}

    site.track()
    before = stored()
    mlflow.set_tracking_uri(f"sqlite:///{site.root}/mlruns/mlflow.db")
    model = mlflow.onnx.load_model("models:/glacier-tiny@challenger")
    assert model.SerializeToString() == (site.folder / contract.MODEL).read_bytes()
    assert stored() == before
    mlflow.onnx.load_model("models:/glacier-tiny/1")
    after = stored()
    assert {name for name, content in after.items() if content != before.get(name)} <= {"registered_model_meta"}


def test_a_registered_model_of_other_bytes_is_refused(site):
    site.track()
    (stored,) = (site.root / "mlruns/artifacts/tiny/models").rglob("model.onnx")
    stored.write_bytes(b"other")
    with pytest.raises(ContractError, match="byte for byte"):
        record._check_bytes("models:/glacier-tiny/1", site.folder / contract.MODEL)
