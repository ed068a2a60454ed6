"""`bin/environment` makes the environment, or says in one sentence what the machine lacks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SYSTEM = ("dirname", "mktemp", "rm", "touch", "mkdir", "cat", "cp", "chmod", "sleep")
"""The commands of the system that the script and the stand-ins below use."""

PYTHON = """#!/bin/sh
# An interpreter of version {version}: its `-m venv` makes an environment of stand-ins.
case "$1 $2" in
"-m stages.ingest") echo "simulation begins" >>"{log}"; sleep 1; echo "simulation ends" >>"{log}"; exit {failure} ;;
esac
case $1 in
-m) [ -z "{no_venv}" ] || exit 1
    mkdir -p "$3/bin" && cp "{pip}" "$3/bin/pip" && cp "$0" "$3/bin/python" ;;
-) exec "{real}" -I -S -c "
import importlib, struct, sys
sys.version_info = ({version_tuple}, 1, 'final', 0)
sys.argv = sys.argv[1:]
if '{no_venv}':
    sys.modules['ensurepip'] = None
if {bits} != 64:
    struct.calcsize = lambda kind: {bits} // 8
def import_module(name):
    if name == 'rasterio' and '{library}':
        raise ImportError('{library}: cannot open shared object file: No such file or directory')
importlib.import_module = import_module
exec(sys.stdin.read())" "$@" ;;
esac
"""
UV = """#!/bin/sh
echo "uv $*; certificates of the system: ${{UV_SYSTEM_CERTS:-no}}" >>"{log}"
mkdir -p "${{UV_CACHE_DIR:-${{HOME:-$TMPDIR}}/.cache/uv}}" || exit 2
case "$*" in
*"--python 3.11"*) [ -z "{downloads}" ] && exit 2; "{brought}" -m venv "{venv}"; cp "$0" "{venv}/bin/uv" ;;
"venv "*) exit 2 ;;
esac
"""


class Machine:
    """A checkout and a PATH with stand-ins for what a machine has: `commands` that each test adds to."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "house"
        self.path = folder / "commands"
        self.log = folder / "log"
        self.venv = self.root / ".venv"
        self.path.mkdir()
        (self.root / "docker/locks").mkdir(parents=True)
        (self.root / "bin").mkdir()
        shutil.copy(ROOT / "bin/environment", self.root / "bin")
        for command in SYSTEM:
            (self.path / command).symlink_to(str(shutil.which(command)))
        self.uname("Linux", "x86_64")
        self.command("getconf", "echo glibc 2.36")

    def command(self, name: str, text: str) -> Path:
        path = self.path / name
        path.unlink(missing_ok=True)
        path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def uname(self, system: str, processor: str) -> None:
        self.command("uname", f'case $1 in -s) echo "{system}" ;; -m) echo "{processor}" ;; esac')

    def python(
        self, version: str, name: str = "python3", *, no_venv: str = "", library: str = "", bits: int = 64,
        failure: int = 0,
    ) -> Path:  # fmt: skip
        uv = self.command("stand-in-uv", UV.format(log=self.log, downloads="", brought="", venv=self.venv))
        pip = self.command("stand-in-pip", f'echo "pip $*" >>"{self.log}"; cp "{uv}" "$(dirname "$0")/uv"')
        return self.command(
            name,
            PYTHON.format(
                version=version, version_tuple=version.replace(".", ", "), no_venv=no_venv, library=library,
                bits=bits, log=self.log, real=sys.executable, pip=pip, failure=failure,
            ),
        )  # fmt: skip

    def uv(self, *, downloads: bool) -> None:
        """Put a `uv` on PATH that can bring Python 3.11, or cannot reach the place where it is."""
        brought = self.python("3.11", "stand-in-brought")
        text = UV.format(log=self.log, downloads="yes" if downloads else "", brought=brought, venv=self.venv)
        self.command("uv", text)

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": f"{self.venv}/bin:{self.path}",
            "HOME": str(self.root.parent / "home"),
            "TMPDIR": str(self.root),
        } | variables
        return subprocess.run(
            ["/bin/sh", str(self.root / "bin/environment")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def refusal(self, **variables: str) -> str:
        """Return the one line that the script ends with; it may leave no environment that passes for finished."""
        result = self.run(**variables)
        assert result.returncode == 2, result
        assert not (self.venv / ".installed").exists()
        (line,) = result.stderr.splitlines()
        return line


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_a_python_that_fits_makes_the_environment(machine: Machine, version: str) -> None:
    machine.python(version)
    assert machine.run().returncode == 0
    assert (machine.venv / ".installed").exists()
    pip, uv = machine.log.read_text().splitlines()
    assert "--require-hashes -r docker/locks/bootstrap.txt" in pip
    assert "--require-hashes -r docker/locks/bootstrap.txt -r docker/locks/dev.txt" in uv


@pytest.mark.parametrize("failure", [0, 2])
def test_the_demos_data_are_simulated_while_the_rest_is_installed(machine: Machine, failure: int) -> None:
    """Where the simulation fails, the environment is made all the same: `bin/repro` says what is wrong."""
    machine.python("3.11", failure=failure)
    assert machine.run(DATA_MEANWHILE="yes").returncode == 0
    assert (machine.venv / ".installed").exists()
    _, first, *middle, last = machine.log.read_text().splitlines()
    assert "-r docker/locks/ingest.txt" in first
    assert sorted(line.partition(";")[0] for line in middle) == [
        "simulation begins",
        "uv pip install --quiet --require-hashes -r docker/locks/bootstrap.txt -r docker/locks/dev.txt",
    ]
    assert last == "simulation ends"


@pytest.mark.parametrize("runner", ["native", "docker"])
def test_data_that_are_there_and_containers_need_no_simulation(machine: Machine, runner: str) -> None:
    machine.python("3.11")
    if runner == "native":
        (machine.root / "data").mkdir()
    assert machine.run(DATA_MEANWHILE="yes", RUNNER=runner).returncode == 0
    assert "simulation" not in machine.log.read_text()


def test_a_second_call_keeps_the_environment(machine: Machine) -> None:
    machine.python("3.11")
    machine.run()
    (machine.venv / "kept").touch()
    assert machine.run().returncode == 0
    assert (machine.venv / "kept").exists()
    assert machine.log.read_text().count("pip install --quiet --disable") == 1


@pytest.mark.parametrize("home", ["a file", "unset"])
def test_a_home_that_cannot_be_written_is_not_needed(machine: Machine, home: str) -> None:
    machine.python("3.11")
    (machine.root / "a file").touch()
    result = machine.run(HOME=str(machine.root / "a file") if home != "unset" else "")
    assert (result.returncode, result.stderr) == (0, "")
    assert (machine.venv / ".installed").exists()


def test_an_environment_of_another_python_is_made_again(machine: Machine) -> None:
    machine.python("3.11")
    machine.run()
    machine.command("old", machine.python("3.10", "python3.10").read_text()).replace(machine.venv / "bin/python")
    (machine.venv / "stale").touch()
    assert machine.run().returncode == 0
    assert not (machine.venv / "stale").exists()


def test_the_first_python_that_fits_is_taken(machine: Machine) -> None:
    machine.python("3.14")
    machine.python("3.10", "python3.11")
    machine.python("3.12", "python3.12")
    assert machine.run().returncode == 0
    assert "version 3.12" in (machine.venv / "bin/python").read_text()


@pytest.mark.parametrize("version", ["3.8", "3.10", "3.14"])
def test_uv_brings_a_python_where_none_fits(machine: Machine, version: str) -> None:
    machine.python(version)
    machine.uv(downloads=True)
    assert machine.run().returncode == 0
    assert "version 3.11" in (machine.venv / "bin/python").read_text()


def test_uv_comes_from_the_lock_where_the_machine_has_none(machine: Machine) -> None:
    """A Python that is too new can still install uv; here uv then reaches no Python."""
    machine.python("3.14")
    assert "python3 is Python 3.14, and uv could not fetch one" in machine.refusal()
    assert "uv venv --quiet --python 3.11" in machine.log.read_text()
    assert sorted(path.name for path in machine.root.iterdir()) == ["bin", "docker"]


@pytest.mark.parametrize("version", ["3.10", "3.14"])
def test_without_a_download_the_sentence_says_what_is_needed(machine: Machine, version: str) -> None:
    machine.python(version)
    machine.uv(downloads=False)
    line = machine.refusal()
    assert "Python 3.11, 3.12 or 3.13 with its module venv is needed" in line
    assert f"python3 is Python {version}, and uv could not fetch one; fix: install one of them" in line


def test_no_python_at_all(machine: Machine) -> None:
    assert "there is no python3; fix: install one of them, or uv" in machine.refusal()


def test_debian_splits_venv_off(machine: Machine) -> None:
    machine.python("3.11", no_venv="yes")
    assert "apt-get install python3-venv" in machine.refusal()


def test_a_32_bit_python(machine: Machine) -> None:
    machine.python("3.12", bits=32)
    assert "python3 is built for another processor" in machine.refusal()


def test_a_python_that_is_named_and_does_not_fit_is_refused_rather_than_replaced(machine: Machine) -> None:
    machine.python("3.11")
    named = machine.python("3.9", "python3.9")
    machine.uv(downloads=True)
    assert f"{named} is Python 3.9; fix: name another with PYTHON=" in machine.refusal(PYTHON=str(named))


@pytest.mark.parametrize(
    ("system", "processor", "libc", "reason"),
    [
        pytest.param("Linux", "i686", "glibc 2.36", "this machine is Linux i686", id="32-bit"),
        pytest.param("Linux", "armv7l", "glibc 2.36", "this machine is Linux armv7l", id="32-bit ARM"),
        pytest.param("Darwin", "x86_64", "", "this machine is Darwin x86_64", id="Intel Mac"),
        pytest.param("MINGW64_NT-10.0", "x86_64", "", "Windows Subsystem for Linux", id="Windows"),
        pytest.param("Linux", "x86_64", "", "Linux x86_64 with another C library", id="musl"),
        pytest.param("Linux", "aarch64", "glibc 2.17", "Linux aarch64 with glibc 2.17", id="old glibc"),
        pytest.param("FreeBSD", "amd64", "", "this machine is FreeBSD amd64", id="FreeBSD"),
    ],
)
def test_platforms_without_wheels(machine: Machine, system: str, processor: str, libc: str, reason: str) -> None:
    machine.python("3.11")
    machine.uname(system, processor)
    machine.command("getconf", f"echo {libc}" if libc else "exit 1")
    line = machine.refusal()
    assert (
        "64-bit Linux (x86-64 or aarch64, glibc 2.28 or newer) or macOS 14 or newer on Apple silicon is needed" in line
    )
    assert reason in line


@pytest.mark.parametrize(("release", "fits"), [("13.6.1", False), ("14.0", True), ("15.3", True), ("26.1", True)])
def test_macos(machine: Machine, release: str, fits: bool) -> None:
    machine.python("3.11")
    machine.uname("Darwin", "arm64")
    machine.command("sw_vers", f"echo {release}")
    if fits:
        assert machine.run().returncode == 0
    else:
        assert f"this machine is macOS {release}" in machine.refusal()


def test_a_missing_library_is_named_with_the_package_that_brings_it(machine: Machine) -> None:
    machine.python("3.11", library="libexpat.so.1")
    assert "this system lacks libexpat.so.1; fix: apt-get install libexpat1 (as root), then again" in machine.refusal()
    machine.command("dnf", "exit 0")
    assert "dnf install expat (as root)" in machine.refusal()


def test_a_missing_library_is_named_before_the_simulation_would_fail_for_it(machine: Machine) -> None:
    machine.python("3.11", library="libexpat.so.1")
    line = machine.refusal(DATA_MEANWHILE="yes")
    assert "this system lacks libexpat.so.1" in line
    assert "simulation begins" not in machine.log.read_text()


def test_the_systems_certificates_are_used(machine: Machine, tmp_path: Path) -> None:
    machine.python("3.11")
    (tmp_path / "bundle.pem").touch()
    machine.run(SSL_CERT_FILE=str(tmp_path / "bundle.pem"))
    assert "certificates of the system: 1" in machine.log.read_text()


def test_the_user_may_refuse_the_systems_certificates(machine: Machine, tmp_path: Path) -> None:
    machine.python("3.11")
    (tmp_path / "bundle.pem").touch()
    machine.run(SSL_CERT_FILE=str(tmp_path / "bundle.pem"), UV_SYSTEM_CERTS="0")
    assert "certificates of the system: 0" in machine.log.read_text()
