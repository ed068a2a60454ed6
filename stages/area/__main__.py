"""``python -m stages.area``."""

from stages.common.run.start import starting

with starting("area", __name__):
    from stages.area.contract import CONTRACT
    from stages.area.measure import measure
    from stages.common.run.stage import main

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, measure))
