"""web: the part that people see — a page on which speech becomes text."""
