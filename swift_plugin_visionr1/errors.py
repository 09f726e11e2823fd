"""The errors that mean: something that the user gave cannot be used. Commands print the message and
exit with 2."""


class VisionR1Error(ValueError):
    """The message says what was expected, what came and what to do."""


class InputError(VisionR1Error):
    """A file or an option cannot be used."""


class SettingsError(VisionR1Error):
    """Settings cannot be used."""


class SolutionError(VisionR1Error):
    """A row's `solution` cannot be used."""
