"""Access to the web pages: sessions, rights, and protection against requests that pages of other sites send."""
