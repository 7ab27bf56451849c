"""Recordings: admission, recognition, answer, archive and repair."""
