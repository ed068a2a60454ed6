"""The rules of the house that a test can keep."""

from __future__ import annotations

import ast
import functools
import graphlib
import importlib
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import yaml

from closure import code_of, imported_files, reached_files
from stages.common.params.schema import Params

ROOT = Path(__file__).resolve().parents[1]
STAGES = sorted(
    path.name for path in (ROOT / "stages").iterdir() if path.is_dir() and path.name not in ("common", "__pycache__")
)
DAG = [name for name in STAGES if name != "ingest"]
CODE = sorted(
    path.relative_to(ROOT)
    for top in ("stages", "region", "versions", "setup", "review", "exports", "docker", "bench", "sandbox")
    for path in (ROOT / top).rglob("*.py")
)
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]

ROOMS = {
    "tensorflow": {"train"},
    "keras": {"train"},
    "tf2onnx": {"train"},
    "mlflow": {"track"},
    "matplotlib": {"report", "common/drawing"},
    "PIL": {"report", "common/web_map"},
}


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@functools.cache
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
        parts = path.relative_to(ROOT / "stages").parts
        if package in {name.split(".")[0] for name in imports(path)}:
            assert {parts[0], "/".join(parts[:2])} & ROOMS[package], f"{path} imports {package}"


def test_environment_variables_are_read_in_one_file() -> None:
    for path in python_files("stages"):
        if path.name != "settings.py":
            source = path.read_text(encoding="utf-8")
            assert not re.search(r"os\.(environ\[|environ\.get|getenv)", source), f"{path} reads the environment"


def test_dask_is_in_region_alone() -> None:
    for path in CODE:
        if path.parts[0] != "region":
            assert not {name.split(".")[0] for name in imports(ROOT / path)} & {"dask", "distributed"}, path


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
    deps = DVC[stage]["deps"]
    data = {dep for dep in deps if not dep.startswith(("stages/", "docker/"))}
    inputs = {dvc_template(template) for template in contract.inputs}
    for path in inputs:
        assert any(lies_in(path, dep) for dep in data), f"{path} is not a dependency of {stage}"
    unread = {dep for dep in data if not any(lies_in(path, dep) for path in inputs)}
    assert not unread, f"{stage} declares what it does not read"


@pytest.mark.parametrize("stage", DAG)
def test_a_stage_depends_on_the_code_that_its_imports_reach(stage: str) -> None:
    code = [dep for dep in DVC[stage]["deps"] if dep.startswith("stages/")]
    assert code == code_of(stage), "run `make docs`"


def test_code_that_a_stage_does_not_reach_concerns_it_not() -> None:
    assert "stages/common/scene" not in DVC["train"]["deps"]
    assert "stages/common/model" not in DVC["prepare"]["deps"]
    assert "stages/common/gates.py" not in DVC["predict"]["deps"]
    for drawn in ("stages/common/drawing", "stages/common/web_map"):
        assert [stage for stage in DVC if drawn in DVC[stage]["deps"]] == ["report"]


@pytest.mark.parametrize("stage", DAG)
def test_parameters_of_a_stage_are_those_dvc_watches(stage: str) -> None:
    contract = importlib.import_module(f"stages.{stage}.contract").CONTRACT
    watched = set(DVC[stage].get("params", []))
    assert set(contract.params) == watched
    read = sections_read(stage)
    assert read <= watched, f"{stage} reads what DVC does not watch"
    if stage != "track":  # which logs every section as it stands
        assert watched <= read | {"predict"}, f"DVC watches what {stage} does not read"


def sections_read(stage: str) -> set[str]:
    """Sections of params.yaml that a stage's own code names, or that say how many inputs it has.

    Not those that only fill in the path of one dependency (``predict.model``): DVC sees that the path is another.
    """
    own = [ROOT / path for path in reached_files(stage, start="__main__.py") if path.startswith(f"stages/{stage}/")]
    read = {section for path in own for section in sections_named(path)}
    for template in importlib.import_module(f"stages.{stage}.contract").CONTRACT.inputs:
        read |= {PLACEHOLDERS[name] for name in re.findall(r"\{(\w+)\}", template) if name in PLACEHOLDERS}
    return read


PLACEHOLDERS = {"years": "years", "training_years": "training_years", "reference_year": "training_years"}
"""Placeholder of a path to the list that fills it in; of a matrix, DVC itself fills in the year."""


def sections_named(path: Path) -> set[str]:
    """Sections of `Params` read as attributes: ``params.area`` or ``run.params.area``."""
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in Params.model_fields
        and "params" in (getattr(node.value, "id", ""), getattr(node.value, "attr", ""))
    }  # fmt: skip


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
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in CODE}
    assert not {path for path, count in lines.items() if count > 300}


def test_few_files_stand_side_by_side() -> None:
    siblings = Counter(path.parent for path in CODE)
    assert not {folder for folder, count in siblings.items() if count > 18}


def test_every_package_says_what_lives_there() -> None:
    for folder in {path.parent for path in CODE if path.parts[0] != "docker"} - {Path("versions"), Path("bench")}:
        docstring = ast.get_docstring(ast.parse((ROOT / folder / "__init__.py").read_text(encoding="utf-8")))
        assert docstring, f"{folder}/__init__.py says nothing"


def test_no_command_imports_the_report() -> None:
    """What the pages of commands share with the report's is in `stages/common`; they read its results from files."""
    for path in CODE:
        if path.parts[0] not in ("stages", "sandbox"):
            assert not {name for name in imports(ROOT / path) if name.startswith("stages.report")}, path


def test_code_imports_no_test() -> None:
    for path in CODE:
        assert not {name for name in imports(ROOT / path) if name.split(".")[0] == "tests"}, path


def test_no_import_goes_round_in_a_circle() -> None:
    graph = {path.as_posix(): set(imported_files(ROOT / path, ROOT)) - {path.as_posix()} for path in CODE}
    packages_aside = {
        path: {other for other in others if not other.endswith("__init__.py")} for path, others in graph.items()
    }
    tuple(graphlib.TopologicalSorter(packages_aside).static_order())  # raises CycleError, which names the circle


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


def lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def dvc_template(template: str) -> str:
    """A contract's path template as it stands in dvc.yaml; a fan-in's dependency is the parent folder."""
    template = re.sub(r"/\{(years|training_years)\}.*", "", template)
    return (
        template.replace("{year}", "${item.year}")
        .replace("{model}", "${predict.model}")
        .replace("{evaluate_year}", "${evaluate.year}")
        .replace("{reference_year}", "${training_years[0]}")
    )
