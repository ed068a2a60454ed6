"""The doors of MLflow and of the command line: stores that are none, rude servers, arguments of no sense."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from sandbox.tiny import ROOT
from tests.hostile import server
from tests.hostile.case import SECRET, Case
from tests.hostile.door_params import bomb, write

DATABASE = "mlruns/mlflow.db"


def store(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Put something in the place of the store."""

    def change(site: Path) -> None:
        (site / "mlruns").mkdir()
        make(site / DATABASE)

    return change


def answering(answer: Callable[[], server.Answer], before: str = "") -> Callable[[Path], None]:
    """Log to the local server, which answers so."""

    def change(site: Path) -> None:
        address = server.serve("/", answer())[:-1]
        os.environ["MLFLOW_TRACKING_URI"] = address.replace("//", f"//{before}")

    return change


def nothing(_site: Path) -> None:
    """Change nothing."""


STORES: dict[str, Callable[[Path], object]] = {
    "a folder": Path.mkdir, "a pipe": os.mkfifo, "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a text": lambda path: path.write_text("hello"), "a web page": lambda path: path.write_text("<html/>" * 999),
    "an archive": lambda path: path.write_bytes(b"PK\3\4" * 300),
    "the beginning of a database": lambda path: path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4000),
}  # fmt: skip

SERVERS: dict[str, Callable[[], server.Answer]] = {
    "a web page": lambda: server.text("<html/>"), "nothing": lambda: server.text(""),
    "a list": lambda: server.document([]), "null": lambda: server.document(None),
    "deep nesting": lambda: server.text("[" * 99_999), "binary": lambda: server.text(bytes(range(256))),
    "not found": lambda: server.text("", status=404), "forbidden": lambda: server.text(SECRET[:2], status=403),
    "a redirect in a circle": lambda: server.redirect("/x"), "no answer": lambda: server.silence,
    "an answer that drips": lambda: server.drip(b"HTTP/1.1 200 OK\r\n\r\n{"),
}  # fmt: skip

UNKNOWN_ADDRESSES = [
    "ftp://127.0.0.1:9",
    "gopher://x",
    "http://",
    "https://:5000",
    "http://[::1",
    f"s3://anna:{SECRET}@b/c",
]
ADDRESSES = ["http://127.0.0.1:9", f"http://anna:{SECRET}@127.0.0.1:9", f"http://127.0.0.1:9/?key={SECRET}",
             "sqlite:////etc/passwd", "sqlite:////etc", "sqlite+pysqlite:////etc/passwd",
             "sqlite:////proc/x/y.db"]  # fmt: skip

SETTINGS: dict[str, list[str]] = {
    "GLACIER_LOG_LEVEL": ["LOUD", "7", "../x"],
    "GLACIER_INFERENCE_THREADS": ["nan", "0", "-1", "1e9", "many", "1.5"],
}

ARGUMENTS = {"1e3": "labels", "x": "labels"}
YEARS = ["1999", "99999999999999999999", "-1", "x", "2020.5", "", "2020 --unknown", "../2020"]


def command(name: str, *arguments: str) -> Callable[[], int]:
    """Run the main function of a file in ``bin/`` in this process."""

    def run() -> int:
        loader = SourceFileLoader(f"hostile_{name}", str(ROOT / "bin" / name))
        module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))  # type: ignore[arg-type]
        before = list(sys.argv)
        sys.argv = [f"bin/{name}", *arguments]
        try:
            loader.exec_module(module)
            return int(module.main(list(arguments)))
        finally:
            sys.argv = before

    return run


def lock(content: str | bytes) -> Callable[[Path], None]:
    """Put this in the place of ``dvc.lock``."""
    return lambda site: (
        (site / "dvc.lock").write_bytes(content if isinstance(content, bytes) else content.encode()) and None
    )


REPRO: dict[str, tuple[Callable[[Path], None], tuple[str, ...], str]] = {
    "no site": (nothing, ("nowhere",), "not a site"),
    "a site above": (nothing, ("../outside",), "not a site"),
    "a file as site": (nothing, ("params.yaml",), "not a site"),
    "no argument": (nothing, (), ""),
    "an option first": (nothing, ("--keep-lock",), ""),
    "aliases without end": (write(bomb()), (".",), "not valid YAML"),
    "a tab": (write("a:\n\tb: 1"), (".",), "not valid YAML"),
    "a lock with conflict marks": (lock("<<<<<<< HEAD\na: 1\n=======\n>>>>>>> x"), (".",), "dvc.lock is not valid"),
    "a lock of aliases": (lock(bomb()), (".",), "dvc.lock is not valid"),
    "a deep lock": (lock("[" * 50_000), (".",), "dvc.lock is not valid"),
    "a lock that is a list": (lock("[1]"), (".",), "dvc.lock is not valid"),
    "a binary lock": (lock(b"\xff\xfe\0"), (".",), "dvc.lock is not valid"),
    "a lock of numbers": (lock("stages: 7"), (".",), "dvc.lock is not valid"),
}


def uri(address: str) -> dict[str, str]:
    """Log to this address."""
    return {"MLFLOW_TRACKING_URI": address}


CASES: list[Any] = [
    Case(door="MLflow", name=f"the store is {name}", change=store(make), run="track", piece="mlflow.db")
    for name, make in STORES.items()
] + [
    Case(door="MLflow", name=f"a server gives {name}", change=answering(answer), run="track", piece="127.0.0.1")
    for name, answer in SERVERS.items()
] + [
    Case(door="MLflow", name=f"the store at {address}", change=nothing, environment=uri(address), run="track")
    for address in ADDRESSES
] + [
    Case(door="MLflow", name=f"the store at {address}", change=nothing, environment=uri(address), run="track",
         piece="no address that MLflow knows")
    for address in UNKNOWN_ADDRESSES
] + [
    Case(door="command line", name=f"{name}={text}", change=nothing, environment={name: text}, run="predict@2020",
         piece=name) for name, texts in SETTINGS.items() for text in texts
] + [
    Case(door="command line", name=f"--year {text}", change=nothing, run=f"prepare@{text} ") for text in YEARS
] + [
    Case(door="command line", name=f"repro: {name}", change=change, action=command("repro", *arguments), piece=piece)
    for name, (change, arguments, piece) in REPRO.items()
]  # fmt: skip
