"""Ratings joined to movies, samples of users, and the finer of the two encodings."""
