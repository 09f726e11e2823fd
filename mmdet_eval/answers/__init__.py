"""Turns a model's text answers into boxes: file readers, joining, parsing, labels, confidence."""
