"""What a result is about: the columns that name a cell of the grid, and one iteration of it."""

import re
from hashlib import sha256

CELL = ["num_users", "reviews_per_user"]
ITERATION = [*CELL, "iteration"]


def in_file_name(model: str) -> str:
    """The name of a model, as a part of the name of a file: `sklearn:Ridge(alpha=3)` and others
    that are no identifier are shortened to what every file system takes, and stay distinct."""
    if model.isidentifier():
        return model
    return f"{re.sub(r'[^A-Za-z0-9]+', '-', model)[:40]}-{sha256(model.encode()).hexdigest()[:12]}"
