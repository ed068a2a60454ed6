"""The rules of the house that a test can keep."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
STAGES = sorted(
    path.name for path in (ROOT / "stages").iterdir() if path.is_dir() and path.name not in ("common", "__pycache__")
)
DAG = [name for name in STAGES if name != "ingest"]
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

ROOMS = {
    "tensorflow": {"train"},
    "keras": {"train"},
    "tf2onnx": {"train"},
    "mlflow": {"track"},
    "matplotlib": {"report"},
    "PIL": {"report"},
}


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_every_stage_of_the_house_is_there() -> None:
    assert set(DVC) == set(DAG)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_common_and_itself_only(stage: str) -> None:
    for path in python_files(f"stages/{stage}"):
        for name in imports(path):
            if name.startswith("stages"):
                assert name.split(".")[1] in ("common", stage), f"{path} imports {name}"


def test_common_imports_no_stage() -> None:
    for path in python_files("stages/common"):
        for name in imports(path):
            assert not name.startswith("stages") or name.split(".")[1] == "common", f"{path} imports {name}"


@pytest.mark.parametrize("package", ROOMS)
def test_heavy_packages_stay_in_their_room(package: str) -> None:
    for path in python_files("stages"):
        room = path.relative_to(ROOT / "stages").parts[0]
        if package in {name.split(".")[0] for name in imports(path)}:
            assert room in ROOMS[package], f"{path} imports {package}"


def test_environment_variables_are_read_in_one_file() -> None:
    for path in python_files("stages"):
        if path.name != "settings.py":
            source = path.read_text(encoding="utf-8")
            assert not re.search(r"os\.(environ\[|environ\.get|getenv)", source), f"{path} reads the environment"


@pytest.mark.parametrize("stage", DAG)
def test_contract_and_dvc_yaml_agree(stage: str) -> None:
    contract = importlib.import_module(f"stages.{stage}.contract").CONTRACT
    spec = DVC[stage]
    year = {"year": "${years}", "training_year": "${training_years}"}.get(contract.per)
    assert spec.get("matrix") == ({"year": year} if year else None)
    assert spec["cmd"] == f"docker/run python -m stages.{stage}" + (" --year ${item.year}" if year else "")
    outs = [next(iter(out)) if isinstance(out, dict) else out for out in spec.get("outs", [])]
    assert outs == ([dvc_template(str(contract.folder(0)).replace("/0", "/{year}"))] if contract.outputs else [])
    assert bool(spec.get("metrics")) == (contract.metrics is not None)


@pytest.mark.parametrize("stage", DAG)
def test_every_input_is_a_declared_dependency(stage: str) -> None:
    contract = importlib.import_module(f"stages.{stage}.contract").CONTRACT
    deps = set(DVC[stage]["deps"])
    for template in contract.inputs:
        path = dvc_template(template)
        assert any(path == dep or path.startswith(f"{dep}/") for dep in deps), f"{path} is no dep of {stage}"
    used = {
        dep
        for dep in deps
        if any(dvc_template(t) == dep or dvc_template(t).startswith(f"{dep}/") for t in contract.inputs)
    }
    code = {"stages/common", f"stages/{stage}"} | {dep for dep in deps if dep.startswith("docker/")}
    assert deps == used | code, f"{stage} declares what it does not read: {deps - used - code}"


@pytest.mark.parametrize("stage", DAG)
def test_parameters_of_a_stage_are_those_dvc_watches(stage: str) -> None:
    contract = importlib.import_module(f"stages.{stage}.contract").CONTRACT
    watched = set(DVC[stage].get("params", []))
    assert set(contract.params) == watched
    read = set()
    for path in python_files(f"stages/{stage}"):
        read |= set(
            re.findall(
                r"\bparams\.(site|years|training_years|grid|prepare|labels|patches|train|evaluate|predict|area|gates|report)\b(?!\w)",
                path.read_text(),
            )
        )
    read -= {stage} if stage not in watched and path.parent.name == stage else set()
    assert read <= watched, f"{stage} reads {read - watched} behind DVC's back"


@pytest.mark.parametrize("stage", DAG)
def test_fan_in_stages_watch_the_list_of_years(stage: str) -> None:
    contract = importlib.import_module(f"stages.{stage}.contract").CONTRACT
    for placeholder, name in (("{years}", "years"), ("{training_years}", "training_years")):
        if any(placeholder in template for template in contract.inputs):
            assert name in contract.params


@pytest.mark.parametrize("site", sorted(path.name for path in (ROOT / "sites").iterdir()))
def test_a_site_is_params_and_links(site: str) -> None:
    folder = ROOT / "sites" / site
    for name in ("stages", "docker"):
        assert (folder / name).is_symlink()
        assert (folder / name).resolve() == ROOT / name


@pytest.mark.parametrize("site", sorted(path.name for path in (ROOT / "sites").iterdir()))
def test_a_site_has_the_same_dag_as_the_root(site: str) -> None:
    """A copy: DVC does not follow links when it reads a revision, and would show no metrics and no experiments."""
    path = ROOT / "sites" / site / "dvc.yaml"
    assert not path.is_symlink()
    assert path.read_bytes() == (ROOT / "dvc.yaml").read_bytes(), "run `make docs`"


def test_files_stay_small() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for path in python_files("stages")
        if (n := len(path.read_text().splitlines())) > 300
    }
    assert not long


def test_nothing_of_the_machine_is_committed() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in filter(None, tracked):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        assert path.stat().st_size < 1_000_000, name
        content = path.read_bytes()
        for word in (b"/work" + b"/", b"pypi" + b".org", b"/ro" + b"ot/"):
            assert word not in content, f"{name} names {word!r}"


def dvc_template(template: str) -> str:
    """A contract's path template as it stands in dvc.yaml; a fan-in's dependency is the parent folder."""
    template = re.sub(r"/\{(years|training_years)\}.*", "", template)
    return (
        template.replace("{year}", "${item.year}")
        .replace("{model}", "${predict.model}")
        .replace("{evaluate_year}", "${evaluate.year}")
        .replace("{reference_year}", "${training_years[0]}")
    )
