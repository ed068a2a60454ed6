"""Score a model on held-out blocks, beside baselines that need no training."""
