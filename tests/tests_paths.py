"""Where the tests' own files are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SYNTHETIC = ROOT / "tests" / "synthetic"
METADATA = (  # the heading of movies_metadata.csv
    "id,title,genres,original_language,release_date,runtime,belongs_to_collection,"
    "vote_average,vote_count"
)
