"""Command line of `report`."""

from stages.common.run.start import starting

with starting("report", __name__):
    from stages.common.run.stage import main
    from stages.report.contract import CONTRACT
    from stages.report.report import report

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, report))
