"""The error of an input that cannot be used."""


class InputError(ValueError):
    """The message says what was expected, what came and what to do."""
