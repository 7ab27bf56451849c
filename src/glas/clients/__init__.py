"""Typed clients of the services; the same client calls a service in this process or over TCP."""
