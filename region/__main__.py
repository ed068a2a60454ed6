"""``python -m region <name> [--dry]``: plan a region, map its cells, and put the results together."""

from stages.common.run.start import starting

with starting("region", __name__, command=True):
    from region.run import main

if __name__ == "__main__":
    raise SystemExit(main())
