"""Texts for training: sentences from a grammar, from a dictionary, and from texts that people have written."""
