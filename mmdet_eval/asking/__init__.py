"""Asking a model a suite's questions with `swift infer`, resumably."""
