"""What the map page draws: a world of users and movies, projected, measured and encoded."""
