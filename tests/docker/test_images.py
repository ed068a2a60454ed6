"""An image is made of what its stage depends on, and its tag is the hash of just that."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

import images
from engine import Engine
from sandbox import tiny
from stages.common import settings
from tests.docker.conftest import require

STAGES = yaml.safe_load((tiny.ROOT / "dvc.yaml").read_text())["stages"]
ALL = sorted(stage for stages in images.FAMILIES.values() for stage in stages)


def tags() -> dict[str, str]:
    return {stage: images.image_of(stage).reference for stage in ALL}


@pytest.mark.parametrize("stage", sorted(STAGES))
def test_an_image_is_made_of_exactly_what_its_stage_depends_on(stage: str) -> None:
    code = {dep for dep in STAGES[stage]["deps"] if dep.startswith(("stages/", "docker/"))}
    assert set(images.image_of(stage).ingredients()) == code


def test_predict_by_another_engine_stands_on_its_lock() -> None:
    usual, other = (images.image_of("predict", engine) for engine in ("onnxruntime", "openvino"))
    assert usual == images.image_of("predict")
    changed = {"docker/locks/onnx.txt", "docker/locks/openvino.txt"}
    assert set(usual.ingredients()) ^ set(other.ingredients()) == changed
    assert usual.repository == other.repository and usual.reference != other.reference


def test_every_stage_has_an_image_and_ingest_too() -> None:
    assert sorted([*STAGES, "ingest"]) == ALL


def test_an_environment_is_made_of_its_lock() -> None:
    assert images.Image("geo").ingredients() == ["docker/Dockerfile", "docker/locks/geo.txt"]


@pytest.mark.parametrize(
    ("path", "concerned"),
    [
        pytest.param("stages/predict/predict.py", {"predict"}, id="a stage"),
        pytest.param("stages/common/geo/grid.py", set(ALL), id="common, which all reach"),
        pytest.param(
            "stages/common/scene/scene.py", {"area", "evaluate", "ingest", "prepare"}, id="common, which some reach"
        ),
        pytest.param("docker/locks/onnx.txt", {"predict", "evaluate"}, id="a lock"),
        pytest.param("docker/Dockerfile", set(ALL), id="the Dockerfile"),
        pytest.param("stages/area/__pycache__/area.pyc", set(), id="what Python compiled"),
        pytest.param("docker/container.py", set(), id="the runner"),
        pytest.param("README.md", set(), id="README"),
    ],
)
def test_a_changed_line_concerns(
    path: str, concerned: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("docker", "stages"):
        shutil.copytree(tiny.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(images, "ROOT", tmp_path)
    before = tags()
    (tmp_path / path).parent.mkdir(exist_ok=True)
    with (tmp_path / path).open("a") as file:
        file.write("# a comment\n")
    after = tags()
    assert {stage for stage in ALL if before[stage] != after[stage]} == concerned


def test_the_context_holds_the_ingredients_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "root"
    shutil.copytree(tiny.ROOT / "stages/gate", source / "stages/gate")
    (source / "stages/gate/__pycache__").mkdir(exist_ok=True)
    (source / "stages/gate/__pycache__/decide.pyc").touch()
    (source / "secret").touch()
    (source / "stages/gate/decide.py").chmod(0o600)  # as with umask 077: a container's user could not read it
    monkeypatch.setattr(images, "ROOT", source)
    context = tmp_path / "context"
    context.mkdir(mode=0o700)
    images._copy(["stages/gate"], context)
    names = {str(path.relative_to(context)) for path in context.rglob("*") if path.is_file()}
    assert names == {f"stages/gate/{name}.py" for name in ("__init__", "__main__", "contract", "decide")}
    assert {stat.S_IMODE(path.stat().st_mode) for path in context.rglob("*.py")} == {0o644}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (context, context / "stages/gate")} == {0o755}


def test_the_base_is_pinned_and_may_be_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(settings.BASE_IMAGE, raising=False)
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm", images.base_image())
    monkeypatch.setenv(settings.BASE_IMAGE, "here/base:1")
    flags = images.build_flags(images.image_of("predict"), "name:tag")
    for wanted in ("BASE_IMAGE=here/base:1", "FAMILY=onnx", "STAGE=predict", "org.opencontainers.image.licenses=MIT"):
        assert wanted in flags


def test_proxies_reach_a_build_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy:3128")
    flags = images.build_flags(images.image_of("area"), "tag")
    assert flags[flags.index("https_proxy") - 1] == "--build-arg"
    assert not any("secret@" in flag for flag in flags)


def test_a_private_index_comes_in_as_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(settings.PIP_CONFIG, "/etc/pip.conf")
    assert "id=pip,src=/etc/pip.conf" in images.build_flags(images.Image("geo"), "name:tag")


@pytest.mark.engine
@pytest.mark.parametrize("stage", ALL)
def test_an_image_runs_its_stage_by_itself(engine: Engine, stage: str) -> None:
    image = images.image_of(stage).reference
    said = engine.ask("run", "--rm", "--network=none", image, "python", "-m", f"stages.{stage}", "--describe")
    assert json.loads(said.stdout)["title"] == stage, said.stderr
    label = json.loads(engine.ask("image", "inspect", "--format", "{{json .Config.Labels}}", image).stdout)
    assert label["org.opencontainers.image.title"] == f"glacier-area/{stage}"
    assert label["org.opencontainers.image.licenses"] == "MIT"
    assert label["org.opencontainers.image.version"] == "0.1.0"
    assert re.match("[0-9a-f]{40}", label["org.opencontainers.image.revision"])


LOOK = """
id -u
for tool in cc gcc c++ make pip uv git; do command -v $tool && echo "has $tool"; done
find /opt/venv /app -name __pycache__ -o -name tests -o -name 'pip' -type d
ls /app /app/stages
"""


@pytest.mark.engine
@pytest.mark.parametrize("stage", ["predict", "train", "track", "report", "area"])
def test_nothing_but_the_environment_and_the_stage_is_in_an_image(engine: Engine, stage: str) -> None:
    said = engine.ask("run", "--rm", "--network=none", images.image_of(stage).reference, "sh", "-c", LOOK).stdout
    assert said.split() == ["65534", "/app:", "stages", "/app/stages:", *sorted(["common", stage])]


class SlowEngine:
    """Builds slowly, and knows what it has built."""

    def __init__(self) -> None:
        self.built: list[str] = []

    def check(self) -> None:
        pass

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        if arguments[0] == "image":
            known = arguments[-1] in self.built
            return subprocess.CompletedProcess(arguments, 0 if known else 1, images.base_image() if known else "", "")
        time.sleep(0.2)
        self.built.append(arguments[arguments.index("--tag") + 1])
        return subprocess.CompletedProcess(arguments, 0, "", "")


def test_stages_that_begin_at_once_build_their_image_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine, image = SlowEngine(), images.image_of("gate")
    with ThreadPoolExecutor(max_workers=3) as pool:
        asked = [pool.submit(images.ensure, engine, image) for _ in range(3)]  # type: ignore[arg-type]
        assert {future.result() for future in asked} == {image.reference}
    assert engine.built == [image.environment.reference, image.reference]


@pytest.mark.engine
def test_what_is_there_is_not_built_again(engine: Engine) -> None:
    image = images.image_of("gate")
    before = engine.ask("image", "inspect", "--format", "{{.Id}}", image.reference).stdout
    images.ensure(engine, image)
    assert engine.ask("image", "inspect", "--format", "{{.Id}}", image.reference).stdout == before


@pytest.mark.engine
def test_an_image_of_the_other_engine_has_it(program: Engine) -> None:
    image = require(program, images.image_of("predict", "openvino"), "make test-containers")
    load = "from stages.common.model.openvino_blocks import load_openvino"
    look = f"{load}; print(load_openvino().Core().available_devices)"
    said = program.ask("run", "--rm", "--network=none", "--read-only", image, "python", "-c", look)
    assert said.stdout.strip() == "['CPU']", said.stderr
