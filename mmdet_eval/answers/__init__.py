"""A model's text answers to boxes: readers of files, joining, parsing, labels, confidence."""
