"""The error that a user's input can cause."""


class InputError(ValueError):
    """Something the user gave cannot be used.

    The message is a single line: what was given, its value, what it may be or what to do.
    """


class RankError(InputError):
    """The rank asked for is more than the data can give.

    Attributes
    ----------
    found
        What they can give.
    """

    def __init__(self, message: str, found: int) -> None:
        super().__init__(message)
        self.found = found

    def __reduce__(self) -> tuple[type, tuple[str, int]]:
        """As it was made, since workers send their errors."""
        return type(self), (str(self), self.found)
