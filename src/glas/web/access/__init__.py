"""Access to the pages: sessions, rights, and protection against foreign pages."""
