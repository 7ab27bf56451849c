"""What is asked of the operating system in several places: files made durable, locked and hashed, sockets looked at."""
