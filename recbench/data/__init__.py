"""Sources, cleaning, joining, sampling and encodings: from files to ratings and movies."""
