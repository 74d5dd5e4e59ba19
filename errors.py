"""The one exception that means: the user can put this right."""


class InputError(ValueError):
    """Wrong input. The message names the file, row or flag, what was expected and what to do.

    Scripts print the message alone and end with status 2.
    """
