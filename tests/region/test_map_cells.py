"""A region of six cells, mapped by real processes of Dask: as sites are mapped, and whatever is killed."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas
import pystac
import pytest
import yaml

from region.params import load_region
from sandbox import mountains, tiny
from sandbox.loopback import free_port
from stages.common.tables import kinds
from tests.region.conftest import PYTHON, ROOT, command, map_region, shell
from tests.region.test_refusals import jobs_of

CELLS = 6
WAIT_S = 120


def manifests(home: Path) -> dict[str, dict]:
    paths = (home / "regions/range/results/cells").glob("*/*/manifest.json")
    return {path.parts[-3]: json.loads(path.read_text()) for path in paths}


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def hashes(home: Path) -> dict[str, dict]:
    """MD5 of every file of every cell, by cell."""
    return {name: manifest["files"] for name, manifest in manifests(home).items()}


def test_every_cell_is_done_but_the_one_without_a_scene(undisturbed: Path) -> None:
    log = (undisturbed / "log.txt").read_text()
    assert log.startswith("exit code 1\n"), log
    assert len(manifests(undisturbed)) == CELLS
    failed = table(undisturbed / "regions/range/results/failed.csv")
    assert len(failed) == 1
    assert "outside the raster" in failed[0]["reason"]
    assert log.count("glacier(s);") == CELLS
    assert "dashboard" in log
    assert "Warning" not in log
    assert "logged run range-" in log


def test_every_glacier_is_counted_once_and_has_its_true_area(undisturbed: Path) -> None:
    results = undisturbed / "regions/range/results"
    rows = geopandas.read_parquet(results / "glacier_years.parquet")
    assert rows.crs == "EPSG:4326"
    assert not rows.duplicated(["rgi_id", "year"]).any()
    assert len(rows) == 13 * len(mountains.YEARS)
    totals = {int(row["year"]): row for row in table(results / "totals.csv")}
    for year in mountains.YEARS:
        total = rows.loc[rows["year"] == year, "area_km2"].sum()
        assert total == pytest.approx(mountains.true_km2(year), rel=0.01)
        assert float(totals[year]["area_km2"]) == pytest.approx(total)
        assert int(totals[year]["glaciers"]) == 13


def test_outlines_rasters_and_report(undisturbed: Path) -> None:
    results = undisturbed / "regions/range/results"
    outlines = geopandas.read_parquet(results / "outlines.parquet")
    assert set(kinds.RGI7_COLUMNS) <= set(outlines.columns)
    areas = outlines.to_crs(tiny.CRS).area.groupby(outlines["year"]).sum() / 1e6
    for year in mountains.YEARS:
        assert areas[year] == pytest.approx(mountains.true_km2(year), rel=0.01)
    collection = pystac.Collection.from_file(str(results / "collection/collection.json"))
    items = [pystac.Item.from_file(link.get_absolute_href()) for link in collection.get_item_links()]
    assert len(items) == CELLS * len(mountains.YEARS)
    for item in items:
        assert item.properties["glacier:product"] == "image"
        for asset in item.get_assets().values():
            assert Path(asset.get_absolute_href() or "").is_file()
    page = (results / "index.html").read_text()
    assert "13 glaciers in 6 of 7 cells" in page
    assert page.count('class="ice"') == 13
    assert "Areas: outlines product" in page and "Common area, from the images alone: " in page
    assert "http" not in page


def test_a_cell_has_the_bytes_of_a_site(undisturbed: Path, tmp_path: Path) -> None:
    """The site is run by the commands of dvc.yaml, in the environment of sites, on the whole file of outlines."""
    folder = undisturbed / "regions/range"
    name, manifest = sorted(manifests(undisturbed).items())[2]
    region = load_region(folder)
    plan = subprocess.run(
        [sys.executable, "-c", "import geopandas, sys; f = geopandas.read_parquet(sys.argv[1]).set_index('cell'); "
         "print(f.at[sys.argv[2], 'crs'], *f.at[sys.argv[2], 'bounds_m'])", str(folder / "results/plan.parquet"), name],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    left, bottom, right, top = (float(value) for value in plan[1:])
    site = region.cell_site(name, crs=plan[0], bounds=(left, bottom, right, top))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(site))
    (tmp_path / "source").symlink_to(folder / "source")
    for link in ("stages", "docker", "dvc.yaml"):
        (tmp_path / link).symlink_to(tiny.ROOT / link)
    model = tmp_path / site["predict"]["model"]
    model.parent.mkdir(parents=True)
    model.write_bytes(mountains.bright_model())
    years = [f"--year {year}" for year in mountains.YEARS]
    stages = [("ingest", [""]), ("prepare", years), ("labels", [""]), ("predict", years), ("area", [""])]
    for stage, runs in stages:
        for more in runs:
            subprocess.run(
                [sys.executable, "-m", f"stages.{stage}", *more.split()], cwd=tmp_path, env=shell(), check=True
            )
    for file, listed in manifest["files"].items():
        path = tmp_path / ("artifacts" if file.startswith(("area", "predict")) else "data") / file
        assert hashlib.md5(path.read_bytes()).hexdigest() == listed["md5"], file


SCHEDULER = ("distributed.cli.dask_scheduler", "--no-dashboard", "--host")
WORKER = (
    "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--preload", "region.worker",
    "--death-timeout", "60",
)  # fmt: skip


@contextlib.contextmanager
def running(*arguments: str, cwd: Path, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    with (cwd / "processes.txt").open("ab") as log:
        process = subprocess.Popen(
            command(*arguments), cwd=cwd, env=shell() | more, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield process
        finally:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has started, without a warning."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(home: Path, reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not reached():
        assert time.monotonic() < deadline, (home / "processes.txt").read_text()
        time.sleep(0.1)


def lines_of_cells(home: Path) -> int:
    """Number of finished cells that the clients have named."""
    return (home / "processes.txt").read_text().count("glacier(s);")


@pytest.mark.enable_socket
def test_whatever_is_killed_no_finished_cell_is_lost(undisturbed: Path, empty_database: Path, tmp_path: Path) -> None:
    """A worker, then the client, then the scheduler; the same command again gives what an undisturbed run gave."""
    address = f"tcp://127.0.0.1:{free_port()}"
    mountains.make_region(tmp_path / "regions", scheduler=address)
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_database, tmp_path / "mlruns/mlflow.db")
    with (
        running(*SCHEDULER, address, cwd=tmp_path) as first,
        running(*WORKER, address, cwd=tmp_path) as mortal,
        running(*WORKER, address, cwd=tmp_path),
    ):
        with running("region", "range", cwd=tmp_path) as client:
            wait_until(tmp_path, lambda: lines_of_cells(tmp_path) >= 1)
            kill(mortal)
            wait_until(tmp_path, lambda: lines_of_cells(tmp_path) >= 2)
            kill(client)
        named = lines_of_cells(tmp_path)
        with running("region", "range", cwd=tmp_path) as client:
            wait_until(tmp_path, lambda: lines_of_cells(tmp_path) > named)
            kill(first)
            assert client.wait(WAIT_S) == 3
    assert "the scheduler was lost" in (tmp_path / "processes.txt").read_text()
    before = manifests(tmp_path)
    assert 3 <= len(before) < CELLS
    with running(*SCHEDULER, address, cwd=tmp_path), running(*WORKER, address, cwd=tmp_path):
        again = map_region(tmp_path)
    assert again.returncode == 0, again.stdout
    assert f"{len(before)} of {CELLS} cells are done already" in again.stdout
    after = manifests(tmp_path)
    assert {name: after[name] for name in before} == before
    assert hashes(tmp_path) == hashes(undisturbed)


@pytest.mark.enable_socket
def test_a_scheduler_that_does_not_answer(dask: None, tmp_path: Path) -> None:
    mountains.make_region(tmp_path / "regions", scheduler=f"tcp://127.0.0.1:{free_port()}")
    done = map_region(tmp_path)
    assert done.returncode == 2
    assert "the scheduler does not answer" in done.stdout
    assert ROOT.as_posix() not in done.stdout.replace(str(tmp_path), "")


@pytest.mark.enable_socket
def test_a_worker_with_other_packages_or_other_code(dask: None, tmp_path: Path) -> None:
    """Its shapely says another version; then its code has one more comment."""
    address = f"tcp://127.0.0.1:{free_port()}"
    mountains.make_region(tmp_path / "regions", scheduler=address)
    other = tmp_path / "other"
    (other / "shapely-0.1.dist-info").mkdir(parents=True)
    (other / "shapely-0.1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: shapely\nVersion: 0.1\n")
    (tmp_path / "code").mkdir()
    for name in ("region", "stages", "docker"):
        shutil.copytree(ROOT / name, tmp_path / "code" / name, ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "code/stages/area/measure.py").open("a") as stream:
        stream.write("# changed\n")
    paths = {f"{other}:{ROOT}": "other versions of the packages", f"{tmp_path / 'code'}": "a worker has other code"}
    with running(*SCHEDULER, address, cwd=tmp_path):
        for path, words in paths.items():
            with running(*WORKER, address, cwd=tmp_path, PYTHONPATH=path):
                done = map_region(tmp_path)
            assert done.returncode == 2, done.stdout
            assert words in done.stdout
    assert not manifests(tmp_path)


def test_a_cell_that_cannot_be_written_ends_the_run(dask: None, tmp_path: Path) -> None:
    """A file stands where a folder of the first cell must be: it does not count as failed."""
    folder = mountains.make_region(tmp_path / "regions", workers=1, attempts=1)
    name, key = min(jobs_of(tmp_path / "regions").items())
    place = folder / "results/cells" / name / key[:16]
    place.mkdir(parents=True)
    (place / "area").write_text("")
    done = map_region(tmp_path)
    assert done.returncode == 3, done.stdout
    assert "a cell cannot be written or read" in done.stdout
    assert "run the same command again: finished cells stay" in done.stdout
    assert not (folder / "results/failed.csv").exists()


FAULTS = """
import resource
import sys
import numpy
from region.worker import keep_freed_memory

def faults():
    began = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(100):
        numpy.ones(2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - began

before = faults()
keep_freed_memory()
faults()  # the memory that is kept is taken once
print(before, faults())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a setting of glibc")
def test_a_worker_uses_freed_memory_again(dask: None, tmp_path: Path) -> None:
    """Dask's nanny starts each worker with the first variable: 8 MB are taken from the system anew a hundred times.

    With huge pages, which NumPy asks for, a fault is 2 MiB where the system has them free and 4 KiB where not.
    """
    settings = {"MALLOC_TRIM_THRESHOLD_": "65536", "NUMPY_MADVISE_HUGEPAGE": "0"}
    done = subprocess.run(
        [str(PYTHON), "-c", FAULTS], cwd=tmp_path, env=shell() | settings,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    before, after = map(int, done.stdout.split())
    assert after < before / 10


ASK = """
import time
from distributed import Client, LocalCluster
from region.worker import lease

def ask(number):
    with lease(("catalogue-test", 2)):
        began = time.monotonic()
        time.sleep(0.3)
        return began, time.monotonic()

with LocalCluster(n_workers=4, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
    with Client(cluster) as client:
        spans = client.gather(client.map(ask, range(8), pure=False))
print(max(sum(began <= moment < ended for began, ended in spans) for moment, _ in spans))
"""


def test_no_more_cells_than_leases_ask_a_catalogue_at_once(dask: None, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(PYTHON), "-c", ASK], cwd=tmp_path, env=shell(), capture_output=True, text=True, check=True
    )
    assert done.stdout == "2\n"
