"""A simulated glacier region with known truth, as a source of imagery."""
