"""Who may see which page: sessions, rights, and protection against foreign pages."""
