"""One user's own ratings: reading, matching to movies, the profile, recommendations.

A file of ratings goes through `tables`, `reading` (with `values`), `matching` (with `titles`) and
`adding` into a `profile`; `of_dataset` makes the `catalogue`, which `known_movies` holds together
with the item table. Programs use `session.Session`; the script is `recommend.py` at the root.
"""
