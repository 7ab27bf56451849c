"""Typed clients of the services. A client can call a service in the same process or over TCP."""
