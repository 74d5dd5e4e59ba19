"""What runs found, ranked: recommenders on the same data, by the same evaluation."""
