"""What a result is about: the columns that name a cell of the grid, and one iteration of it."""

CELL = ["num_users", "reviews_per_user"]
ITERATION = [*CELL, "iteration"]
