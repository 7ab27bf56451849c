"""Functions that all FastAPI apps of Glas use: check keys, set request ids, limit bodies, and format errors."""
