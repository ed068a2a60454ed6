"""What a stage may see and write is what dvc.yaml declares, with its paths filled in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from declared import declared_stage, stage_name
from planning import plan_container
from sandbox import tiny
from stages.common import settings
from stages.common.errors import InputError, ParamsError
from stages.common.run.environment import NETWORK


@pytest.fixture(autouse=True)
def no_dvc(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (settings.DVC_STAGE, *NETWORK):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "dvc.yaml").symlink_to(tiny.ROOT / "dvc.yaml")
    tiny.write_params(tmp_path, tiny.params(tmp_path / "source", [2020, 2021]))
    return tmp_path


@pytest.mark.parametrize(
    ("dvc_stage", "command", "name"),
    [
        pytest.param("predict@2020", "python anything", "predict@2020", id="DVC in the site's folder"),
        pytest.param("sites/everest/dvc.yaml:predict@2020", "", "predict@2020", id="DVC at the root"),
        pytest.param("dvc.yaml:area", "", "area", id="DVC with the file's name"),
        pytest.param("", "python -m stages.area", "area", id="by hand"),
        pytest.param("", "python -m stages.predict --year 2020", "predict@2020", id="by hand with a year"),
        pytest.param("", "python -m stages.ingest", "ingest", id="outside the DAG"),
        pytest.param("predict@2020", "python -m stages.ingest", "ingest", id="left in the shell"),
    ],
)
def test_name_of_the_stage(monkeypatch: pytest.MonkeyPatch, dvc_stage: str, command: str, name: str) -> None:
    monkeypatch.setenv(settings.DVC_STAGE, dvc_stage)
    assert stage_name(command.split()) == name


def test_without_a_name_the_error_says_so() -> None:
    with pytest.raises(ParamsError, match="the stage is unknown"):
        stage_name(["sh", "-c", "true"])


def test_a_year_of_a_matrix(site: Path) -> None:
    stage = declared_stage("predict@2021", site)
    assert stage.reads == ("params.yaml", "artifacts/train/model.onnx", "artifacts/prepare/2021")
    assert stage.writes == ("artifacts/predict/2021",)
    assert (stage.stage, stage.writable, stage.engine) == ("predict", ("artifacts",), "onnxruntime")


def test_the_engine_of_the_parameters_is_that_of_predict(site: Path) -> None:
    params = tiny.params(site / "source", [2020, 2021])
    tiny.write_params(site, params | {"predict": params["predict"] | {"engine": "openvino"}})
    assert [declared_stage(name, site).engine for name in ("predict@2021", "evaluate")] == ["openvino", ""]


def test_an_item_of_a_list(site: Path) -> None:
    (site / "dvc.yaml").unlink()
    (site / "dvc.yaml").write_text("stages: {a: {deps: ['data/${training_years[0]}', 'data/${years[1]}']}}")
    assert declared_stage("a", site).reads == ("params.yaml", "data/2020", "data/2021")
    (site / "dvc.yaml").write_text("stages: {a: {deps: ['data/${years[7]}']}}")
    with pytest.raises(ParamsError, match="a parameter is absent"):
        declared_stage("a", site)


def test_parameters_and_metrics(site: Path) -> None:
    stage = declared_stage("evaluate", site)
    assert "artifacts/patches/2020" in stage.reads
    assert stage.writes == ("metrics/evaluate.json", "artifacts/evaluate")
    assert stage.writable == ("artifacts", "metrics")


def test_a_stage_without_output_writes_nothing(site: Path) -> None:
    assert declared_stage("gate", site).writable == ()


def test_track_knows_the_pin_of_the_data(site: Path) -> None:
    assert declared_stage("track", site).optional == ("data.dvc",)
    assert declared_stage("report", site).optional == ()


def test_every_stage_sees_its_own_dependencies_only(site: Path) -> None:
    for name, spec in yaml.safe_load((site / "dvc.yaml").read_text())["stages"].items():
        stage = declared_stage(f"{name}@2020" if "matrix" in spec else name, site)
        data = [dep for dep in spec["deps"] if not dep.startswith(("stages/", "docker/"))]
        assert len(stage.reads) == len(set(stage.reads)), name  # an engine refuses two mounts at one place
        assert len(data) <= len(stage.reads) <= len(data) + 1, name
        assert not any("${" in path for path in (*stage.reads, *stage.writes)), name


@pytest.mark.parametrize("text", ["$SCENES", "${SCENES}"])
def test_ingest_sees_what_its_parameters_name(text: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny.write_outlines(site / "source/outlines.gpkg")
    content = tiny.params(Path(text), [2020])
    monkeypatch.setenv("SCENES", str(tiny.write_scene(site / "elsewhere/2020.tif", tiny.scene(2020)).parent))
    content["ingest"]["outlines"]["path"] = "source/outlines.gpkg"
    tiny.write_params(site, content)
    stage = declared_stage("ingest", site)
    assert stage.optional == ("source", str(site / "elsewhere"))
    assert stage.variables == ("SCENES",)
    assert (stage.writes, stage.writable) == (("data.dvc", "data"), (".",))


@pytest.mark.parametrize(
    ("name", "files"),
    [
        pytest.param(
            "everest",
            {
                "GLACIER_SAMPLES": [
                    "everest-landsat7/LE71400412000304SGS00_RGB.tif",
                    "everest-landsat7/15_rgi60_glacier_outlines.gpkg",
                ]
            },
            id="everest",
        ),
        pytest.param(
            "gangotri",
            {
                "GLACIER_OUTLINES": ["RGI2000-v7.0-G-15_south_asia_east.shp", "RGI2000-v7.0-G-15_south_asia_east.dbf"],
                "GLACIER_DEM": ["Copernicus_DSM_COG_10_N30_00_E079_00_DEM.tif"],
            },
            id="gangotri",
        ),
    ],
)
def test_a_real_site_sees_every_file_that_it_names_and_each_once(
    name: str, files: dict[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    shutil.copy(tiny.ROOT / "sites" / name / "params.yaml", site)
    for variable, paths in files.items():
        monkeypatch.setenv(variable, str(tmp_path / variable))
        for path in paths:
            (tmp_path / variable / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / variable / path).touch()
    monkeypatch.chdir(site)
    stage = declared_stage("ingest", site)
    mounts = plan_container(stage, site).mounts
    assert len({mount.target for mount in mounts}) == len(mounts), "an engine refuses two mounts at one place"
    for variable, paths in files.items():
        for path in paths:
            file = tmp_path / variable / path
            (mount,) = [mount for mount in mounts if file.is_relative_to(mount.source)]
            assert Path(mount.target) / file.relative_to(mount.source) == file, "the variable says the same inside"
    assert stage.variables == tuple(sorted(files))
    assert plan_container(stage, site).environment == {variable: str(tmp_path / variable) for variable in files}


@pytest.mark.parametrize(
    ("paths", "mounted"),
    [
        pytest.param(["outlines.shp", "scene.tif"], ["outlines.shp", "scene.tif"], id="in the site's own folder"),
        pytest.param(["in/a.shp", "in/b.tif"], ["in"], id="two files of a folder"),
        pytest.param(["in/a.shp", "in/deeper/b.tif"], ["in"], id="a folder in a folder"),
        pytest.param(["in/a.shp", "in/../in/b.tif"], ["in/../in"], id="two ways to write it"),
        pytest.param(["../beside.shp", "../scenes/b.tif"], ["../beside.shp", "../scenes"], id="beside the site"),
        pytest.param(["in/absent.shp", "raster"], [], id="absent, and a folder that no parameter names"),
    ],
)
def test_no_place_is_mounted_twice(paths: list[str], mounted: list[str], tmp_path: Path) -> None:
    site = tmp_path / "sites/tiny"
    (site / "raster").mkdir(parents=True)  # as the source is called
    content = tiny.params(Path("in"), [2020])
    content["ingest"]["outlines"]["path"], content["ingest"]["raster"]["scenes"][0]["path"] = paths
    for path in paths:
        if "absent" not in path and path != "raster":
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).touch()
    if paths[1] == "raster":
        content["ingest"]["raster"]["scenes"] = []
    tiny.write_params(site, content)
    assert list(declared_stage("ingest", site).optional) == mounted


def test_train_sees_the_folders_that_its_parameters_pin(site: Path) -> None:
    assert declared_stage("train", site).reads == ("params.yaml", "artifacts/patches")
    content = tiny.params(site / "source", [2020])
    content["train"] |= {"more_patches": [{"path": "../a/artifacts/patches"}], "initial_model": {"path": "../start"}}
    tiny.write_params(site, content)
    stage = declared_stage("train", site)
    assert stage.reads == ("params.yaml", "artifacts/patches", "../a/artifacts/patches", "../start")
    assert "../start" not in declared_stage("evaluate", site).reads
    for path in stage.reads[1:]:
        (site / path).mkdir(parents=True, exist_ok=True)
    targets = {str(mount.target) for mount in plan_container(stage, site).mounts if not mount.writable}
    assert targets == {"/site/params.yaml", "/site/artifacts/patches", "/a/artifacts/patches", "/start"}


def test_a_folder_of_products_is_seen(site: Path) -> None:
    content = tiny.params(site / "source", [2020])
    content["ingest"] |= {"source": "safe", "safe": {"folder": "products"}}
    (site / "products").mkdir()
    tiny.write_params(site, content)
    assert declared_stage("ingest", site).optional == ("products",)


def test_a_variable_that_is_not_set_is_named(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SCENES", raising=False)
    tiny.write_params(site, tiny.params(Path("$SCENES"), [2020]))
    with pytest.raises(ParamsError, match="the environment variable SCENES is not set"):
        declared_stage("ingest", site)


def test_an_unknown_stage_is_refused(site: Path) -> None:
    with pytest.raises(ParamsError, match=r"dvc\.yaml has no such stage") as caught:
        declared_stage("predictt", site)
    assert "predict, area" in caught.value.expected


def test_an_absent_parameter_is_named(site: Path) -> None:
    tiny.write_params(site, {"site": {"name": "x"}})
    with pytest.raises(ParamsError) as caught:
        declared_stage("predict@2020", site)
    assert caught.value.expected == "predict.model"


def test_outside_of_a_site_the_error_says_so(tmp_path: Path) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml is absent"):
        declared_stage("area", tmp_path)


def test_a_dvc_yaml_that_a_merge_has_spoilt_is_one_message(site: Path) -> None:
    (site / "dvc.yaml").unlink()  # a link to that of the root
    (site / "dvc.yaml").write_text("<<<<<<< HEAD\nstages: {}\n=======\n>>>>>>> main\n")
    with pytest.raises(InputError, match=r"dvc\.yaml is not valid YAML"):
        declared_stage("labels", site)
