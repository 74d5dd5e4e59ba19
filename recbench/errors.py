"""The one exception that means: the user can put this right."""


class InputError(ValueError):
    """Wrong input. The message names the file, row or flag, what was expected and what to do.

    Scripts print the message alone and end with status 2.
    """


class TooFewUsers(InputError):
    """More users are asked for than have ratings enough; `there_are` so many."""

    def __init__(self, message: str, there_are: int) -> None:
        super().__init__(message)
        self.there_are = there_are
