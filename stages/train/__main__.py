"""``python -m stages.train``."""

from stages.common.run.start import starting

with starting("train", __name__):
    from stages.common.run.stage import main
    from stages.train.contract import CONTRACT
    from stages.train.train import train

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, train))
