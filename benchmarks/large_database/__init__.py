"""A large database for the benchmark of the pages."""
