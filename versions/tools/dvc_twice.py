"""Commands of DVC one after the other in one process, until one fails: importing DVC takes longer than most of them.

``python -m versions.tools.dvc_twice '[["commit", "labels"], ["repro", "--dry"]]'``
"""

from __future__ import annotations

import json
import sys

from stages.common.run.start import starting

with starting("dvc", __name__, command=True):
    from dvc.cli import main

if __name__ == "__main__":
    for arguments in json.loads(sys.argv[1]):
        if code := main(arguments):
            sys.exit(code)
