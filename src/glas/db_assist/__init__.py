"""db_assist: the only part of Glas that reads and writes the database; it also decides about payments."""
