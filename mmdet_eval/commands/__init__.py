"""`mmdet-eval`: one verb of the command line a file."""
