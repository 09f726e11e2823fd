"""What the commands `explain`, `score` and `plot` show: rewards of completions that are there already."""
