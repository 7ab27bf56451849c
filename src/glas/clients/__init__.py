"""Typed clients of nn_service, db_assist and data_loader, for calls within one process or over TCP."""
