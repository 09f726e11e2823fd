"""Asks a model a suite's questions with `swift infer`; can be resumed."""
