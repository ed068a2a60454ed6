"""What the stages cost: memory and processor time."""
