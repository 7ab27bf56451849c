"""Evaluation of a model: error rates, calibration, model card, curves."""
