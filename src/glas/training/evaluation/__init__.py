"""How good it is and how sure it may be: error rates, calibration, the card, the curves."""
