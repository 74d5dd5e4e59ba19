"""What a recommender promises, check by check: of one of your own by `python -m recbench check`."""
