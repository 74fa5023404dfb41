"""The model of the moment, what came in since it was trained, and the way to an answer."""
