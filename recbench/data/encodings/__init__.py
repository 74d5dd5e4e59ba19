"""The binary encodings of a movie and of a rating."""
