"""Words: the values, rules and errors that mean something in the domain. No input or output happens here."""
