"""Common functions of all FastAPI apps of Glas: keys, request ids, limits of bodies, the format of errors."""
