"""Typed clients of the services, one module each; only the transport differs between one process and many."""
