"""Errors for input that cannot be used. Commands print the message and exit with 2."""


class VisionR1Error(ValueError):
    """The message says what was expected, what came and what to do."""


class InputError(VisionR1Error):
    """A file or an option cannot be used."""


class SettingsError(VisionR1Error):
    """Settings cannot be used."""


class SolutionError(VisionR1Error):
    """A row's `solution` cannot be used."""


class ImageError(InputError, SolutionError):
    """An image cannot be used, as a file or as part of a row.

    Attributes:
        code: why, in one word: missing, empty, unreadable, too_large, or elsewhere for an image
            that is not on this machine.
    """

    def __init__(self, message: str, code: str = "unreadable") -> None:
        super().__init__(message)
        self.code = code
