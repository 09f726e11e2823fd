"""`vision-r1 prepare`: annotations to rows for training."""
