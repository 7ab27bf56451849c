"""Texts for training: sentences from a grammar, sentences from a dictionary, and texts that people have written."""
