"""``python -m stages.predict --year YYYY``."""

from stages.common.run.start import starting

with starting("predict", __name__):
    from stages.common.run.stage import main
    from stages.predict.contract import CONTRACT
    from stages.predict.predict import predict

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, predict))
