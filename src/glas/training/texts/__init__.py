"""What is said: sentences from a grammar, a dictionary, and what people have written."""
