"""db_assist: the only part that reads and writes the database; it decides on payments."""
