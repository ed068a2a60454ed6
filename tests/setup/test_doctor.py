"""The doctor: a line for each thing that a run needs, and the fix where it is missing."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest
import yaml

from sandbox import tiny
from setup.doctor import main
from setup.findings import of_site
from stages.common import settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    tiny.write_params(tmp_path, tiny.params(Path("source"), [2020, 2021]))
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    return tmp_path


def change(site: Path, **sections: object) -> None:
    content = yaml.safe_load((site / "params.yaml").read_text())
    for name, section in sections.items():
        content[name] |= section
    (site / "params.yaml").write_text(yaml.safe_dump(content))


def lines(site: Path) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for finding in of_site(site):
        texts.setdefault(finding.subject, []).append(str(finding))
    return texts


def test_missing_files_are_named_and_there_files_are_counted(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(site) == 2
    printed = capsys.readouterr().out
    assert f"fix  files       no {site / 'source/2020.tif'}; fix: correct the path" in printed
    assert printed.endswith("3 to mend\n")
    for name in ("2020.tif", "2021.tif", "outlines.gpkg"):
        (site / "source").mkdir(exist_ok=True)
        (site / "source" / name).touch()
    assert lines(site)["files"] == ["ok   files       3 named in params.yaml, all there"]
    assert main(site) == 0
    assert "nothing is missing" in capsys.readouterr().out


def test_a_variable_that_is_not_set_is_named_once(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLACIER_SOMEWHERE", raising=False)
    tiny.write_params(site, tiny.params(Path("$GLACIER_SOMEWHERE"), [2020, 2021]))
    assert len(lines(site)["files"]) == 1
    assert lines(site)["files"][0].endswith("fix: export GLACIER_SOMEWHERE=<folder>")


def test_an_engine_that_the_parameters_ask_for(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.RUNNER, raising=False)
    assert "OpenVINO" not in lines(site)
    change(site, predict={"engine": "openvino"})
    there = importlib.util.find_spec("openvino") is not None
    assert lines(site)["OpenVINO"][0].startswith("ok" if there else "fix")
    assert lines(site)["OpenVINO"][0].endswith("" if there else "fix: make openvino")
    monkeypatch.setenv(settings.RUNNER, "docker")
    assert "OpenVINO" not in lines(site)


def test_keys_that_a_catalogue_needs(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (settings.S3_ACCESS_KEY, settings.S3_SECRET_KEY):
        monkeypatch.delenv(name, raising=False)
    change(site, ingest={"source": "stac", "stac": {"profile": "copernicus-dataspace"}})
    assert lines(site)["keys"][0].startswith("fix  keys        CDSE_S3_ACCESS_KEY and CDSE_S3_SECRET_KEY not set")
    change(site, ingest={"source": "stac", "stac": {"profile": "earth-search-c1"}})
    assert lines(site)["keys"] == ["ok   keys        earth-search-c1 needs none"]


def test_parameters_that_break_the_schema_or_lack_a_section_of_dvc(site: Path) -> None:
    content = yaml.safe_load((site / "params.yaml").read_text())
    (site / "params.yaml").write_text(yaml.safe_dump({key: content[key] for key in content if key != "gates"}))
    (line,) = lines(site)["parameters"]
    assert line.endswith("fix: add the line(s): `gates: {}`")
    change(site, train={"epoch": 3})
    (line,) = lines(site)["parameters"]
    assert "train.epoch" in line


def test_more_than_the_machine_has(site: Path) -> None:
    """A thousand kilometres of 1 m: disk and memory are asked for beforehand, the time is told."""
    aoi = {"bounds": [tiny.LEFT, tiny.TOP - 9e5, tiny.LEFT + 9e5, tiny.TOP], "crs": tiny.CRS}
    change(site, ingest={"aoi": aoi}, grid={"pixel_size_m": 1})
    texts = lines(site)
    assert texts["disk"][0].startswith("fix")
    assert texts["memory"][0].startswith("fix")
    assert "minutes for make repro" in texts["time"][0]


@pytest.mark.parametrize(("site_folder", "minutes"), [(".", 4), ("sites/everest", 2)])
def test_the_time_of_the_sites_here_is_about_what_was_measured(
    site_folder: str, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """README and docs/results.md: the demo takes 4 minutes on two cores, Everest 2.5."""
    monkeypatch.setattr(settings, "inference_threads", lambda: 2)
    (text,) = (str(finding) for finding in of_site(ROOT / site_folder) if finding.subject == "time")
    assert text.endswith(f"about {minutes} minutes for make repro on 2 cores")


def test_an_engine_that_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(settings.RUNNER, "docker")
    monkeypatch.setenv(settings.ENGINE, "no-such-engine")
    assert main(site) == 2
    assert "RUNNER is docker, and there is no no-such-engine; fix: install no-such-engine, or unset RUNNER" in (
        capsys.readouterr().out
    )
