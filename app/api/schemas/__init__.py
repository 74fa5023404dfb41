"""What bodies and answers look like: strict on the way in, documented on the way out."""
