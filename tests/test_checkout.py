"""What git makes of the files, whatever the machine's settings are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from sandbox import tiny

WITH_CRLF = ("-c", "core.autocrlf=true", "-c", "core.eol=crlf", "-c", "user.name=a", "-c", "user.email=a@example.org")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *WITH_CRLF, *arguments], cwd=folder, check=True, capture_output=True)


def test_line_ends_stay_as_they_are(tmp_path: Path) -> None:
    """With core.autocrlf=true scripts did not run (`env: 'python3\\r'`), and DVC hashed other bytes."""
    kept = {
        "run": b"#!/bin/sh\necho done\n",
        "params.yaml": b"years: [2020]\n",
        "a.tif": b"II*\0\n\r\n\n",
        "a.dbf": b"a\nb\r\n",
    }
    git(tmp_path, "init", "--quiet")
    shutil.copy(tiny.ROOT / ".gitattributes", tmp_path)
    for name, content in kept.items():
        (tmp_path / name).write_bytes(content)
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "first")
    for name in kept:
        (tmp_path / name).unlink()
    git(tmp_path, "checkout", "--", ".")
    assert {name: (tmp_path / name).read_bytes() for name in kept} == kept
