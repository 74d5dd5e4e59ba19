"""One user's own ratings: read, matched to movies, kept in one file, recommended from.

`Session` is the whole of it for a program; `recommend.py` at the root is the script.
"""
