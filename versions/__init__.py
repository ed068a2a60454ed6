"""Versions of model and data side by side: comparing, promoting, rolling back, retraining. None of it is a stage."""
