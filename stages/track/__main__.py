"""``python -m stages.track``."""

from stages.common.run.start import starting

with starting("track", __name__):
    from stages.common.run.stage import main
    from stages.track.contract import CONTRACT
    from stages.track.track import track

if __name__ == "__main__":
    raise SystemExit(main(CONTRACT, track))
