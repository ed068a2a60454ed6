"""``python -m stages.labels``."""

from stages.common.run.start import starting

with starting("labels", __name__):
    from stages.common.run.stage import main
    from stages.labels.contract import CONTRACT
    from stages.labels.label import label

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, label))
