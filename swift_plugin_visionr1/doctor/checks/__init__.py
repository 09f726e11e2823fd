"""What doctor looks for, one kind of fault a file."""
