"""Where fetched and unpacked data is kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def cache_folder() -> Path:
    """RECBENCH_CACHE, or the user's cache folder."""
    default = platformdirs.user_cache_dir("recommender-systems-benchmark", appauthor=False)
    return Path(os.environ.get("RECBENCH_CACHE") or default)  # set but empty: as if not set
