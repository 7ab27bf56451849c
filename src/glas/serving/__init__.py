"""Functions that all FastAPI apps of Glas use: keys, request ids, limits of bodies, the format of errors."""
