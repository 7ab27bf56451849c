"""Evaluate a model: measure error rates, calibrate the confidence, write the model card, draw curves."""
