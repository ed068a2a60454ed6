"""``python -m stages.gate``."""

from stages.common.run.start import starting

with starting("gate", __name__):
    from stages.common.run.stage import main
    from stages.gate.contract import CONTRACT
    from stages.gate.decide import decide

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, decide))
