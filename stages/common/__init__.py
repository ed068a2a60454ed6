"""What the stages share. Never a stage, and imports none."""
