"""Serving: what all FastAPI apps of Glas share — keys, request ids, limits of bodies, the format of errors."""
