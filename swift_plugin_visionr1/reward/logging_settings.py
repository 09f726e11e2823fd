"""What a settings file says beside the rules of the rewards: what the callback logs."""

from dataclasses import dataclass

from ..declared import check_value
from ..errors import InputError


@dataclass(frozen=True)
class LoggingSettings:
    """What the callback `vision_r1` logs beside numbers.

    Attributes:
        pictures: how many steps apart the callback logs a picture of a group of rollouts; it also
            logs one after the first step. 0 turns them off. Over the paper's 3,000 steps the
            default makes about 60 pictures of 0.1 to 0.5 MB each.

    Raises:
        InputError: `pictures` is not a number of steps.
    """

    pictures: int = 50

    def __post_init__(self) -> None:
        check_value(self.pictures, int, "pictures")
        if self.pictures < 0:
            raise InputError(
                f"expected pictures to be a number of steps, 0 for never, got {self.pictures}"
            )
