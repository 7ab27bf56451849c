"""What people ask for in words and presses: commands, settings, ratings, corrections, their data."""
