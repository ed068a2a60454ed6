"""The locks resolve to wheels on every machine that `bin/environment` accepts, and name no index."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from packaging.markers import Marker

LOCKS = Path(__file__).resolve().parents[1] / "docker/locks"
REQUIREMENT = re.compile(
    r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>\S+)(?: ; (?P<marker>[^\\]+))? \\\n +--hash=", re.M
)
SOURCE_ONLY = "antlr4-python3-runtime"
"""Pure Python, published as source alone; every other package must come as a wheel."""
REQUIRED = "GLACIER_LOCKS_REQUIRED"
"""Set where the tests must not be skipped."""
LINUX_X86 = {"sys_platform": "linux", "platform_machine": "x86_64"}
LINUX_ARM = {"sys_platform": "linux", "platform_machine": "aarch64"}
APPLE_SILICON = {"sys_platform": "darwin", "platform_machine": "arm64"}


def requirements(lock: str, machine: dict[str, str], python: str) -> dict[str, str]:
    """Return name to version of what a lock installs on a machine."""
    environment = machine | {"python_version": python, "python_full_version": f"{python}.0"}
    return {
        match["name"]: match["version"]
        for match in REQUIREMENT.finditer((LOCKS / lock).read_text())
        if not match["marker"] or Marker(match["marker"]).evaluate(environment)
    }


@pytest.mark.parametrize("path", sorted(LOCKS.iterdir()), ids=lambda path: path.name)
def test_no_lock_names_an_index(path: Path) -> None:
    """Neither an address, nor an option but a requirement's hash and the name of another lock."""
    text = path.read_text()
    assert "//" not in text
    assert not re.search(r"^\s*-(?!-hash=sha256:|[cr] \S+$)", text, re.M)


@pytest.mark.parametrize("path", sorted(LOCKS.glob("*.txt")), ids=lambda path: path.name)
def test_every_requirement_has_a_version_and_a_hash(path: Path) -> None:
    text = path.read_text()
    assert len(REQUIREMENT.findall(text)) == len(re.findall(r"^\w", text, re.M)) > 0


@pytest.mark.parametrize("family", ["geo", "ingest", "onnx", "train", "report", "track", "server"])
@pytest.mark.parametrize("machine", [LINUX_X86, LINUX_ARM, APPLE_SILICON], ids=["x86-64", "aarch64", "Apple silicon"])
def test_images_have_the_versions_of_the_development_environment(family: str, machine: dict[str, str]) -> None:
    assert requirements(f"{family}.txt", machine, "3.11").items() <= requirements("dev.txt", machine, "3.11").items()


@pytest.mark.parametrize("machine", [LINUX_X86, LINUX_ARM, APPLE_SILICON], ids=["x86-64", "aarch64", "Apple silicon"])
def test_a_region_runs_with_the_versions_that_its_stages_have_elsewhere(machine: dict[str, str]) -> None:
    """So a cell has the bytes of a site; Dask and what it needs are the region's own."""
    here, elsewhere = (requirements(f"{lock}.txt", machine, "3.11") for lock in ("region", "dev"))
    stages = requirements("ingest.txt", machine, "3.11") | requirements("onnx.txt", machine, "3.11")
    assert stages.items() <= here.items()
    assert {name for name in here.keys() & elsewhere.keys() if here[name] != elsewhere[name]} == set()
    assert {"dask", "distributed", "pyarrow", "fsspec", "s3fs"} <= here.keys()


@pytest.mark.parametrize("machine", [LINUX_X86, LINUX_ARM, APPLE_SILICON], ids=["x86-64", "aarch64", "Apple silicon"])
def test_another_engine_adds_itself_and_changes_nothing(machine: dict[str, str]) -> None:
    usual, other = (requirements(f"{lock}.txt", machine, "3.11") for lock in ("onnx", "openvino"))
    assert usual.items() <= other.items()
    assert other.keys() - usual.keys() == {"openvino", "openvino-telemetry"}


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize(
    ("machine", "package"),
    [
        pytest.param(LINUX_X86, "tensorflow-cpu", id="Linux x86-64"),
        pytest.param(LINUX_ARM, "tensorflow", id="Linux aarch64"),
        pytest.param(APPLE_SILICON, "tensorflow", id="Apple silicon"),
    ],
)
def test_tensorflow_is_the_one_that_has_a_wheel(machine: dict[str, str], package: str, python: str) -> None:
    names = requirements("train.txt", machine, python)
    assert names.keys() & {"tensorflow", "tensorflow-cpu"} == {package}


@pytest.mark.long
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin"])
def test_the_index_has_a_wheel_of_everything(platform: str, python: str, tmp_path: Path) -> None:
    check_wheels(["bootstrap", "dev"], platform, python, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("python", ["3.11", "3.13"])
@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_35", "aarch64-apple-darwin"])
def test_the_index_has_a_wheel_of_the_other_engine(platform: str, python: str, tmp_path: Path) -> None:
    """On aarch64 OpenVINO needs a newer glibc than all else."""
    check_wheels(["openvino"], platform, python, tmp_path)


def check_wheels(locks: list[str], platform: str, python: str, target: Path) -> None:
    """uv says what it would install on another machine; it fetches metadata and no wheel."""
    uv = shutil.which("uv", path=f"{LOCKS.parents[1] / '.venv/bin'}:{os.environ['PATH']}")
    assert uv, "uv is not installed; fix: make"
    place = ["--python-platform", platform, "--python-version", python, "--target", str(target)]
    wheels = ["--require-hashes", "--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
    files = [word for lock in locks for word in ("-r", f"{lock}.txt")]
    command = [uv, "pip", "install", "--dry-run", *place, *wheels, *files]
    # onnxruntime's wheels need macOS 14, and uv resolves for macOS 13 unless this variable says more.
    environment = {"MACOSX_DEPLOYMENT_TARGET": "14.0", "UV_SYSTEM_CERTS": "1"} | os.environ
    result = subprocess.run(command, cwd=LOCKS, env=environment, capture_output=True, text=True, check=False)
    if "error sending request" in result.stderr and not os.environ.get(REQUIRED):
        pytest.skip("no package index answers")
    assert result.returncode == 0, result.stderr
    installed = dict(re.findall(r"^ \+ (\S+?)==(\S+)$", result.stderr, re.M))
    machine = LINUX_X86 if platform.startswith("x86") else LINUX_ARM if "linux" in platform else APPLE_SILICON
    expected: dict[str, str] = {}
    for lock in locks:
        expected |= requirements(f"{lock}.txt", machine, python)
    assert installed == expected
