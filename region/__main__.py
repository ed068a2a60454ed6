"""``python -m region <name>``: plan a region, and say what it is expected to cost."""

from stages.common.run.start import starting

with starting("region", __name__, command=True):
    from region.run import main

if __name__ == "__main__":
    raise SystemExit(main())
