"""One user's own ratings: read, matched to movies, saved in one profile, recommended from.

A file of ratings goes through `tables`, `reading` (with `values`), `matching` (with `titles`) and
`adding` into a `profile`; `known_movies` has the `catalogue` and the item table, which `of_dataset`
makes; `session.Session` is the whole of it for a program; `recommend.py` at the root is the script.
"""
