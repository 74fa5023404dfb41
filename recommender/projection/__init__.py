"""Users and movies in one plane, and how far that plane can be trusted."""
