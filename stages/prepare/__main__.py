"""``python -m stages.prepare --year <year>``."""

from stages.common.run.start import starting

with starting("prepare", __name__):
    from stages.common.run.stage import main
    from stages.prepare.contract import CONTRACT
    from stages.prepare.prepare import prepare

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, prepare))
