"""Python programs in processes that start with their libraries loaded.

A Python that starts from nothing spends 1 to 5 s of CPU on importing DVC, rasterio or MLflow. Here a server process
imports them once, and every program runs in a fork of it: a process with its own memory, working directory,
environment, output and exit code, which imports the code of this project by itself, and which can be killed.
A stage that a DVC among them runs is such a process too, and the program that a stage starts.
"""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.forkserver
import os
import re
import runpy
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import PIPE, TimeoutExpired, check_output  # noqa: F401 (who takes this module for `subprocess` finds them)
from typing import Any

LIBRARIES = [
    "pytest", "dvc.cli.parser", "dvc.repo.add", "dvc.repo.commit", "dvc.repo.push", "dvc.repo.reproduce",
    "dvc.repo.status", "dvc.stage.loader", "dvc.stage.run", "dvc.data_cloud", "dvc.lock", "dvc.rwlock", "dvc.cachemgr",
    "dvc_data.index", "dvc_data.index.checkout", "dvc_data.index.save", "dvc_render.vega",
    "fsspec.implementations.local", "networkx",
    "pygit2", "dulwich.repo", "dulwich.worktree", "scmrepo.git", "scmrepo.noscm", "ruamel.yaml", "psutil",
    "configobj", "flatten_dict", "importlib_metadata", "platformdirs", "pyparsing", "rich.json", "rich.progress",
    "numpy", "pydantic", "yaml", "rasterio.features", "rasterio.mask", "rasterio.shutil", "rasterio.warp", "pyproj",
    "shapely", "onnx", "onnxruntime", "pystac.extensions", "geopandas", "pyogrio", "pyarrow.pandas_compat",
    "scipy.fft", "scipy.interpolate", "scipy.ndimage", "scipy.stats", "skimage.graph", "skimage.measure",
    "matplotlib.backends.backend_agg", "matplotlib.pyplot", "PIL.GifImagePlugin", "PIL.PngImagePlugin", "jinja2",
    "mlflow", "mlflow.onnx", "mlflow.store.tracking.sqlalchemy_store", "mlflow.store.model_registry.sqlalchemy_store",
    "alembic.autogenerate", "git",
]  # fmt: skip
"""What DVC imports when it needs it, and what stages and commands do; never a module of this project."""

FORKING = "from tests import forked; from versions.tools import commands; commands.subprocess = forked\n"
"""First line of code that calls a command here: the DVC that the command runs is a fork too."""

STAGE = re.compile(r"docker/run python (-m stages\.\w+)((?: --year \d+)?)")
"""What DVC runs, in its own words."""

server = multiprocessing.get_context("forkserver")
server.set_forkserver_preload(LIBRARIES)


class Fork:
    """A program that runs in a fork; of `subprocess.Popen` it has what the callers here use.

    Parameters
    ----------
    command
        ``(python, "-m", module, ...)`` or ``(python, "-c", code, ...)``.
    out, err
        Files to write to; by default what this process writes to.
    """

    def __init__(
        self, command: Sequence[str], *, cwd: Path | None, env: Mapping[str, str] | None, out: str = "", err: str = ""
    ) -> None:
        self.args = list(command)
        outputs = [path or f"/proc/{os.getpid()}/fd/{fd}" for fd, path in ((1, out), (2, err))]
        self.process = server.Process(
            target=become, args=(tuple(command[1:]), str(cwd or Path.cwd()), dict(env or os.environ), *outputs)
        )
        self.process.start()

    @property
    def returncode(self) -> int | None:
        """Its exit code; None while it runs."""
        return self.process.exitcode

    def communicate(self) -> None:
        """Wait for its end."""
        self.process.join()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, at most for `timeout` seconds, and return its exit code."""
        self.process.join(timeout)
        if self.returncode is None:
            raise TimeoutExpired(self.args, timeout or 0)
        return self.returncode

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()


class Followed(Fork):
    """A fork whose output is read as it comes, in lines."""

    def __init__(self, command: Sequence[str], *, cwd: Path | None, env: Mapping[str, str] | None) -> None:
        self.folder = tempfile.TemporaryDirectory()
        pipe = Path(self.folder.name, "pipe")
        os.mkfifo(pipe)
        super().__init__(command, cwd=cwd, env=env, out=str(pipe))
        self.stdout = pipe.open(encoding="utf-8", errors="replace")

    def __enter__(self) -> Followed:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        self.wait()
        self.folder.cleanup()


def Popen(command: Sequence[str], **named: Any) -> Any:  # noqa: N802 (stands for that of `subprocess`)
    """Start a stage as DVC does, or a DVC that is followed, in a fork; anything else as `subprocess.Popen` does."""
    where = {"cwd": named.get("cwd"), "env": named.get("env")}
    stage = STAGE.fullmatch(command[-1])
    if stage and named["env"].get("RUNNER", "native") == "native":
        return Fork((sys.executable, *stage[1].split(), *stage[2].split()), **where)
    if command[:3] == [sys.executable, "-m", "dvc"] and named.get("stdout") == PIPE:
        return Followed(command, **where)
    return subprocess.Popen(command, **named)


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    check: bool = False,
    **_: Any,
) -> subprocess.CompletedProcess[str]:
    """Run ``[python, "-m", module, ...]`` or ``[python, "-c", code, ...]`` as `subprocess.run` does; output is text."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        fork = Fork(command, cwd=cwd, env=env, out=str(out), err=str(err))
        fork.communicate()
        texts = [path.read_text(encoding="utf-8", errors="replace") for path in (out, err)]
    if check and fork.returncode:
        error = subprocess.CalledProcessError(fork.returncode, list(command), *texts)
        error.add_note("".join(texts)[-3000:])
        raise error
    return subprocess.CompletedProcess(list(command), fork.returncode or 0, *texts)


def become(command: Sequence[str], cwd: str, env: Mapping[str, str], out: str, err: str) -> None:
    """Be the module or the code in this process, and end with its exit code; what it forks comes of the same server."""
    gc.freeze()  # what the libraries have made stays: a collection would go through all of it, for 0.15 s each time
    multiprocessing.forkserver._forkserver.ensure_running = lambda: None  # type: ignore[method-assign]
    for number, name, flags in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_CREAT | os.O_WRONLY | os.O_APPEND),
                                (2, err, os.O_CREAT | os.O_WRONLY | os.O_APPEND)):  # fmt: skip
        os.dup2(os.open(name, flags), number)
    # New streams: the server's own believe that they can seek, if they could at its start.
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    kind, program, *arguments = command
    fork_what_it_starts(program)
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


def fork_what_it_starts(program: str) -> None:
    """Let the stages of a DVC, and the Python that a stage starts, be forks."""
    if program == "dvc":
        import dvc.stage.run

        dvc.stage.run.subprocess = sys.modules[__name__]
    elif program.startswith("stages."):
        from_nothing = subprocess.run

        def start(command: Sequence[str], **named: Any) -> Any:
            return (run if list(command[:2]) == [sys.executable, "-m"] else from_nothing)(command, **named)

        subprocess.run = start  # type: ignore[assignment]
