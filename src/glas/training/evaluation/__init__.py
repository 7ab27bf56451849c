"""Evaluation of a model: error rates, calibration, the card, the curves."""
