"""Domain: the values, rules and errors that all parts share. This package does no input or output."""
