"""Serving: what every FastAPI part shares at its door — keys, request ids, body limits, one shape of error."""
