"""`vision-r1`: one verb of the command line a file."""
