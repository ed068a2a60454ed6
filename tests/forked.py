"""Python programs in processes that start with their libraries loaded.

A Python that starts from nothing spends 1 to 5 s of CPU on importing DVC, rasterio or MLflow. Here a server process
imports them once, and every program runs in a fork of it: a process with its own memory, working directory,
environment, output and exit code, which imports the code of this project by itself, and which can be killed.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver
import os
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired  # noqa: F401 (a command that is followed as it runs is no fork)
from typing import Any

LIBRARIES = [
    "pytest", "dvc.cli.parser", "dvc.repo.commit", "dvc.repo.reproduce", "dvc.stage.loader", "dvc.stage.run",
    "dvc.data_cloud", "dvc.lock", "dvc.rwlock", "dvc_data.index", "dvc_data.index.checkout", "dvc_data.index.save",
    "fsspec.implementations.local", "networkx", "pygit2", "dulwich.repo", "scmrepo.git", "ruamel.yaml", "psutil",
    "rich.progress", "numpy", "pydantic", "yaml", "rasterio.features", "rasterio.warp", "pyproj", "shapely",
    "onnxruntime", "scipy.ndimage", "geopandas", "pyogrio", "mlflow",
]  # fmt: skip
"""What DVC imports when it needs it, and what stages and commands do; never a module of this project."""

FORKING = "from tests import forked; from versions.tools import commands; commands.subprocess = forked\n"
"""First line of code that calls a command here: the DVC that the command runs is a fork too."""

server = multiprocessing.get_context("forkserver")
server.set_forkserver_preload(LIBRARIES)


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str], **_: Any) -> subprocess.CompletedProcess[str]:
    """Run ``[python, "-m", module, ...]`` or ``[python, "-c", code, ...]`` as `subprocess.run` does; output is text."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = server.Process(target=become, args=(tuple(command[1:]), str(cwd), dict(env), str(out), str(err)))
        process.start()
        process.join()
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
    return subprocess.CompletedProcess(list(command), process.exitcode or 0, *texts)


def become(command: Sequence[str], cwd: str, env: Mapping[str, str], out: str, err: str) -> None:
    """Be the module or the code in this process, and end with its exit code; what it forks comes of the same server."""
    multiprocessing.forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]
    for number, name, flags in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_CREAT | os.O_WRONLY | os.O_APPEND),
                                (2, err, os.O_CREAT | os.O_WRONLY | os.O_APPEND)):  # fmt: skip
        os.dup2(os.open(name, flags), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    kind, program, *arguments = command
    sys.argv = [program if kind == "-m" else kind, *arguments]
    sys.path[:1] = [cwd, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    code: Any = 1
    try:
        if kind == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            exec(program, {"__name__": "__main__"})
        code = 0
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))
