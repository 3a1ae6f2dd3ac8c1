"""The one error that a user's input can cause."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is a single line: what was given, its value, what it may be or what to do.
    """
