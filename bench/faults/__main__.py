"""Kill commands of a small site, or fill disks under its stages.

    python -m bench.faults --kills 100        # ingest, repro, track, retrain, promote: kill -9 at a random instant
    python -m bench.faults --disk             # ingest on disks of growing size (root on Linux: it mounts a tmpfs)
    python -m bench.faults --disk-of prepare predict area report train      # these stages on such disks

The site is that of `sandbox.tiny`, a repository of its own. Kills are written to `bench/faults/kills.csv` one by one; a
run that was stopped goes on where it was (`--at` names the folder that keeps its site).
"""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path

from bench.faults.commands import make_repository
from bench.faults.disks import measure_disks, measure_stage
from bench.faults.kills import kill_often

RECORD = Path(__file__).parent / "kills.csv"


def main() -> None:
    """Run the parts that the command line names, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=0, help="number of kills that the record is to have")
    parser.add_argument("--minutes", type=float, default=math.inf, help="most minutes of killing")
    parser.add_argument("--at", type=Path, help="folder that keeps the site of the kills; default: a temporary one")
    parser.add_argument("--record", type=Path, default=RECORD, help="CSV of the kills")
    parser.add_argument("--seed", type=int, default=1, help="seed of the instants")
    parser.add_argument("--disk", action="store_true", help="try ingest on small disks")
    parser.add_argument("--disk-of", nargs="+", default=[], metavar="STAGE", help="try these stages on small disks")
    arguments = parser.parse_args()
    if arguments.disk:
        measure_disks()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.disk_of:
            site = make_repository(Path(folder, "disks"))
            for stage in arguments.disk_of:
                measure_stage(site, stage)
        if arguments.kills:
            place = (arguments.at or Path(folder, "kills")).resolve()
            kill_often(place, arguments.record.resolve(), arguments.kills, arguments.minutes, arguments.seed)


if __name__ == "__main__":
    main()
