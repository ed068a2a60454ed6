"""Learning from many simulated sites: a starting model, and what sites and a start are worth."""
