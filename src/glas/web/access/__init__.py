"""Access to the web pages: sessions, rights, and protection against forged requests from pages of other sites."""
