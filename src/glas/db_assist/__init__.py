"""db_assist: the part that alone speaks to the database, and alone decides what is paid."""
