"""Where data comes from: Kaggle, a local folder, MovieLens 100K; cleaning; the cache."""

from sources.datasets import load_source
from sources.tables import Source

__all__ = ["Source", "load_source"]
