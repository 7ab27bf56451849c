"""Access to the pages: sessions, rights, and protection against requests of foreign pages."""
