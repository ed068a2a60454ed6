"""Commands of DVC one after the other in one process, until one fails: importing DVC takes longer than most of them.

``python -m versions.tools.dvc_commands '[["commit", "labels"], ["repro", "--dry"]]'``

By itself `dvc repro --dry` looks into its cache of runs with the hashes of dvc.lock. So after every change it says of a
stage that has run before that it is cached, and then runs it. Here it looks with the hashes of what is there now.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from stages.common.run.start import starting

with starting("dvc", __name__, command=True):
    from dvc.cli import main
    from dvc.stage.cache import StageCache


def look_with_todays_hashes() -> None:
    """Let DVC hash the inputs of a stage before it looks for a run of it in its cache, in a dry run too."""
    look = StageCache._load

    def hash_and_look(cache: StageCache, stage: Any) -> Any:
        stage.save_deps(allow_missing=True)
        return look(cache, stage)

    StageCache._load = hash_and_look


if __name__ == "__main__":
    look_with_todays_hashes()
    for arguments in json.loads(sys.argv[1]):
        if code := main(arguments):
            sys.exit(code)
