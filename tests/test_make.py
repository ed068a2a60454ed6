"""The Makefile: it works in a folder of any name, refuses a site that does not exist, lists its targets in groups."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAND_IN = '#!/bin/sh\necho "$PWD|$PYTHONPATH|${DVC_ROOT-unset}${PYTHONDONTWRITEBYTECODE-}|$*" >>"$LOG"\n'
NAMES = [
    "Glacier Work",
    "Zürich",
    "it's",
    'say "b"',
    "a#b",
    "a?b",
    "a%20b",
    "100%",
    "a$b",
    "a;b&c",
    "(a)",
    "a*",
    "-a",
    "~",
]


def make(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Call make as from a shell: `make test` hands its own flags to what it starts."""
    shell = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}}
    environment = shell | {"LC_ALL": "C", "LOG": str(folder.parent / "log")} | more
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def checkout(folder: Path) -> Path:
    """A checkout whose environment is finished; its programs write down how they were called."""
    for name in (".venv/bin", ".venv-region", "sites/small", "docker/locks", "bin"):
        (folder / name).mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in (*(f"docker/locks/{lock}.txt" for lock in ("dev", "bootstrap", "region")), "sites/small/params.yaml"):
        (folder / name).touch()
    for name in (".venv", ".venv-region"):
        (folder / name / ".installed").touch()
    for name in (".venv/bin/python", "bin/region", "bin/repro", "bin/summary", "bin/check-lock"):
        (folder / name).write_text(STAND_IN)
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_clean_removes_nothing_but_its_own(name: str, tmp_path: Path) -> None:
    """An unquoted path is several paths: the folder `Glacier` beside `Glacier Work` was removed."""
    beside = {*re.split(r"[ ;&#?*]", name), "Glacier", "Work", "a", "b"} - {"", name, "~"}
    for other in beside:
        (tmp_path / other / "precious").mkdir(parents=True, exist_ok=True)
    folder = checkout(tmp_path / name)
    (folder / "artifacts/area").mkdir(parents=True)
    assert make(folder, "clean").returncode == 0
    assert not (folder / ".venv").exists()
    assert (folder / "artifacts/area").exists()
    assert all((tmp_path / other / "precious").is_dir() for other in beside)


@pytest.mark.parametrize("name", NAMES)
def test_targets_run_in_their_place(name: str, tmp_path: Path) -> None:
    folder = checkout(tmp_path / name)
    for arguments in (("exps", "SITE=small"), ("repro", "SITE=small"), ("demo",)):
        done = make(folder, *arguments, DVC_ROOT="/left/of/another", PYTHONDONTWRITEBYTECODE="1")
        assert done.returncode == 0, done.stderr
    places = [line.split("|") for line in (tmp_path / "log").read_text().splitlines()]
    assert [(place[0], place[3]) for place in places] == [
        (f"{folder}/sites/small", "-m versions.experiments"),
        (f"{folder}", "sites/small"),
        (f"{folder}", "sites/small"),
        (f"{folder}", ". --keep-lock"),
        (f"{folder}", "."),
    ]
    assert {tuple(place[1:3]) for place in places} == {(str(folder), "unset")}


WORDS = {
    "A": "old one",
    "B": "it's",
    "BASE": "feature/a b",
    "VERSION": "3",
    "URL": "/mnt/My Drive/$x",
    "REGION": "eu",
    "DRY": "1",
}
CALLS = {
    "compare": ("-m versions.compare {A} {B}", "-m versions.compare  "),
    "retrain": ("-m versions.retrain --base={BASE}", "-m versions.retrain"),
    "promote": ("-m versions.promote --version={VERSION}", "-m versions.promote"),
    "region": ("{REGION} --dry", ""),
    "remote": ("-m dvc remote add --local --force --default chosen {URL}",) * 2,
}


@pytest.mark.parametrize("target", CALLS)
def test_words_count_in_the_command_alone_and_arrive_whole(target: str, tmp_path: Path) -> None:
    """A shell that exports VERSION=2 would make that version the champion."""
    folder = checkout(tmp_path / "house")
    words = [f"{name}={text.replace('$', '$$')}" for name, text in WORDS.items()]
    assert make(folder, target, *words).returncode == 0
    assert make(folder, target, **WORDS).returncode == 0
    stated, exported = [line.split("|")[3] for line in (tmp_path / "log").read_text().splitlines()]
    assert stated == CALLS[target][0].format(**WORDS)
    assert exported == CALLS[target][1].format(**dict.fromkeys(WORDS, ""))


def test_a_colon_would_part_the_path(tmp_path: Path) -> None:
    done = make(checkout(tmp_path / "a:b"), "clean")
    assert done.returncode == 2
    assert "a folder with a colon in its path" in done.stderr
    assert (tmp_path / "a:b/.venv").exists()


@pytest.mark.parametrize("site", ["smal", "small extra", "../..", "small;x"])
@pytest.mark.parametrize("target", ["repro", "ingest", "retrain", "promote", "compare", "check-lock", "crossval"])
def test_a_misspelt_site_ends_before_anything_runs(target: str, site: str, tmp_path: Path) -> None:
    folder = checkout(tmp_path / "house")
    done = make(folder, target, f"SITE={site}")
    assert done.returncode == 2
    nearest = " (did you mean SITE=small?)" * (site != "../..")
    assert f'there is no site "{site}"{nearest}; expected: SITE=small, or no SITE for the demo' in done.stderr
    assert not (tmp_path / "log").exists()


def test_help_lists_every_target_in_its_group() -> None:
    text = make(ROOT, "help").stdout
    groups = {group.splitlines()[0]: re.findall(r"^  make (\S+)", group, re.M) for group in text.split("\n\n")}
    assert list(groups) == ["Use", "Compare", "Operate", "Develop"]
    assert groups["Use"][:3] == ["demo", "repro", "ingest"]
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.M)
    assert phony is not None
    listed = [target for targets in groups.values() for target in targets]
    assert sorted(listed) == sorted(phony[1].replace("\\", " ").split())
