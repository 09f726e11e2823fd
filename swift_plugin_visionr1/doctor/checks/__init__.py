"""What doctor looks for: one kind of fault per file."""
