"""Find out whether everything is in place for a halt to work."""
