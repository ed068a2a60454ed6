"""``python -m stages.evaluate``."""

from stages.common.run.start import starting

with starting("evaluate", __name__):
    from stages.common.run.stage import main
    from stages.evaluate.contract import CONTRACT
    from stages.evaluate.evaluate import evaluate

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, evaluate))
