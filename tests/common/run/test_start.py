"""How a process starts, each in a process of its own: with a shell that would change everything, or broken modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from sandbox import tiny

PROGRAM = """
from stages.common.run.start import starting
with starting("predict", __name__):
    import json, os, sys, time
    import matplotlib.figure, pyproj, rasterio
    from rasterio.warp import transform
    print("\\N{MINUS SIGN}5 km\\N{SUPERSCRIPT TWO}")
    print(json.dumps({
        "corner": list(rasterio.open(sys.argv[1]).transform)[2:6:3],
        "rasterio": transform("EPSG:4326", "EPSG:32645", [87.0], [28.0])[0][0],
        "pyproj": pyproj.Transformer.from_crs(4326, 32645, always_xy=True).transform(87.0, 28.0)[0],
        "zone": time.tzname[0],
    }))
"""


@pytest.fixture
def point_raster(tmp_path: Path) -> Path:
    """A raster whose file gives the centre of its first pixel, and not the corner, as many DEMs do."""
    path = tmp_path / "dem.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=2, width=2, count=1, dtype="uint8", crs="EPSG:32645",
        transform=Affine(30, 0, 500_000, 0, -30, 3_000_000),
    ) as out:  # fmt: skip
        out.update_tags(AREA_OR_POINT="Point")
        out.write(np.ones((1, 2, 2), np.uint8))
    return path


def hostile_shell(folder: Path) -> dict[str, str]:
    """A shell with the settings of a notebook, of another GDAL and PROJ, of another place and of an old terminal."""
    other = folder / "other"
    other.mkdir()
    (other / "proj.db").touch()
    (folder / ".gdal").mkdir()
    (folder / ".gdal/gdalrc").write_text("[configoptions]\nGTIFF_POINT_GEO_IGNORE=TRUE\n")
    return {
        "HOME": str(folder), "PATH": os.environ["PATH"], "PYTHONPATH": str(tiny.ROOT),
        "PROJ_DATA": str(other), "PROJ_LIB": str(other), "GDAL_DATA": str(other),
        "MPLBACKEND": "module://nowhere", "TZ": "Asia/Tokyo", "LC_ALL": "de_DE.ISO-8859-1",
        "PYTHONIOENCODING": "iso-8859-1", "GDAL_HTTP_BEARER": "hush-hush",
    }  # fmt: skip


def run(*arguments: str, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, check=False)


@pytest.mark.parametrize("more", [{}, {"GTIFF_POINT_GEO_IGNORE": "TRUE"}], ids=["a gdalrc", "a variable"])
def test_the_settings_of_a_shell_do_not_reach_a_stage(point_raster: Path, tmp_path: Path, more: dict[str, str]) -> None:
    done = run("-c", PROGRAM, str(point_raster), cwd=tmp_path, env=hostile_shell(tmp_path) | more)
    assert done.returncode == 0, done.stderr.decode()
    line, answer = done.stdout.decode("iso-8859-1").splitlines()
    assert line == "-5 km²"
    assert json.loads(answer) == {
        "corner": [500_000, 3_000_000],
        "rasterio": pytest.approx(500_000, abs=1e-6),
        "pyproj": pytest.approx(500_000, abs=1e-6),
        "zone": "UTC",
    }
    log = done.stderr.decode()
    assert all(name in log for name in ("PROJ_DATA", "MPLBACKEND", "GDAL_HTTP_BEARER", *more))
    assert "hush" not in log and "Traceback" not in log


CLOUD_CLIENT = """
import sys
from stages.common.run.start import starting
with starting("predict", __name__, command=sys.argv[1] == "command"):
    import rasterio
print("boto3" in sys.modules, rasterio.session.boto3 is not None)
import boto3
print(boto3.__name__)
"""


@pytest.mark.parametrize(("kind", "loaded"), [("stage", "False False"), ("command", "True True")])
def test_a_stage_imports_rasterio_without_boto3_which_it_can_import_later(
    kind: str, loaded: str, tmp_path: Path
) -> None:
    pytest.importorskip("boto3")
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tiny.ROOT), "HOME": str(tmp_path)}
    done = run("-c", CLOUD_CLIENT, kind, cwd=tmp_path, env=environment)
    assert done.stdout.decode().splitlines() == [loaded, "boto3"], done.stderr.decode()


COLLECTOR = """
import gc
from stages.common.run.start import starting
with starting("predict", __name__):
    print(gc.isenabled())
print(gc.isenabled(), gc.get_freeze_count() > 1000)
"""


def test_garbage_is_looked_for_again_after_the_imports(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tiny.ROOT), "HOME": str(tmp_path)}
    done = run("-c", COLLECTOR, cwd=tmp_path, env=environment)
    assert done.stdout.decode().splitlines() == ["False", "True True"], done.stderr.decode()


PROGRAMS = {
    "train": ("-m", "stages.train"),
    "ingest": ("-m", "stages.ingest"),
    "compare": ("-m", "versions.compare"),
    "rollback": ("-m", "versions.rollback"),
    "crossval": ("-m", "versions.crossval"),
    "repro": (str(tiny.ROOT / "bin/repro"), "."),
    "summary": (str(tiny.ROOT / "bin/summary"), "."),
    "docker/run": (str(tiny.ROOT / "docker/container.py"), "python", "-m", "stages.area"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_error_while_modules_are_imported_is_unexpected(name: str, tmp_path: Path) -> None:
    (tmp_path / "pydantic.py").write_text("raise ImportError('libpydantic.so: cannot open shared object file')")
    path = f"{tmp_path}{os.pathsep}{tiny.ROOT}{os.pathsep}{tiny.ROOT / 'docker'}"
    done = run(*PROGRAMS[name], cwd=tmp_path, env=os.environ | {"PYTHONPATH": path})
    message = done.stderr.decode()
    assert done.returncode == 3, message
    assert f"{name}: the run ended with an unexpected error" in message
    assert "libpydantic.so: cannot open shared object file" in message
    assert "Traceback" not in message
    text = (tmp_path / f"artifacts/.tmp/traceback-{name.replace('/', '-')}.txt").read_text()
    assert text.startswith("Traceback")


def test_every_program_imports_within_its_start() -> None:
    """No module of a third party, and none that imports one, stands before the block."""
    programs = [*(tiny.ROOT / "stages").glob("*/__main__.py"), *(tiny.ROOT / "versions").rglob("*.py")]
    programs += [tiny.ROOT / "bin" / name for name in ("repro", "summary", "check-lock")]
    programs += [tiny.ROOT / "docker/container.py", tiny.ROOT / "stages/evaluate/crossval.py"]
    for path in programs:
        text = path.read_text(encoding="utf-8")
        if '__name__ == "__main__"' in text and "common/params" not in path.as_posix():
            head, _, _ = text.partition("with starting(")
            imported = {
                line.split()[1].split(".")[0] for line in head.splitlines() if line.startswith(("import ", "from "))
            }
            assert imported <= {*sys.stdlib_module_names, "stages"}, path
            assert head.count("from stages") == 1, path


def test_a_wrong_level_of_the_log_is_refused_before_anything_is_imported(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "GLACIER_LOG_LEVEL": "loud", "MLFLOW_RUN_ID": "1"}
    done = run("-m", "stages.area", cwd=tmp_path, env=environment | {"PYTHONPATH": str(tiny.ROOT)})
    assert (done.returncode, b"DEBUG, INFO, WARNING" in done.stderr) == (2, True)
