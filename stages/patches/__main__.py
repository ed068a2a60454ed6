"""``python -m stages.patches --year YYYY``."""

from stages.common.run.start import starting

with starting("patches", __name__):
    from stages.common.run.stage import main
    from stages.patches.contract import CONTRACT
    from stages.patches.cut import cut_patches

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, cut_patches))
