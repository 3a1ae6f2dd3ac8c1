"""Names of the controls that are made of recorded runs, and what is known of them.

Plain text, so that a configuration can be read without numerical libraries; what they do is in
:mod:`koopscope.controls`.
"""

RECODED, SURROGATE = "recoded", "surrogate"
# Smallest effect that counts, in place of a number: as the recoded controls have it.
MEASURED = "measured"
# Each with what it does, in words.
RECODINGS = {
    "rescaled": "each weight times a positive constant of its own",
    "bent": "each weight through a smooth monotone map of its own",
    "rotated": "all weights turned together",
    "mixed": "all weights mixed by an invertible linear map",
    "warped": "all weights through a smooth invertible map that mixes them",
}
SURROGATES = {
    "increments_shuffled": "the same steps in another order",
    "fluctuations_shuffled": "the same slow course, what is left beside it in another order",
    "time_reversed": "the last state first",
    "random_walk": "independent steps with the mean and covariance of theirs",
    "autoregressive": "a process of order 1 with their mean and covariance",
}
MADE = {RECODED: RECODINGS, SURROGATE: SURROGATES}
# As they stand in a configuration.
NAMES = tuple(f"{kind}:{name}" for kind, those in MADE.items() for name in those)


def kind_of(control: str) -> str:
    """``recoded`` or ``surrogate``."""
    return control.partition(":")[0]


def expected_of(control: str) -> str:
    """Answer that is known of a control: ``equivalent`` or ``different``."""
    return "equivalent" if kind_of(control) == RECODED else "different"


def because_of(control: str) -> str:
    """Why that is known."""
    kind, _, name = control.partition(":")
    return f"{'conjugate' if kind == RECODED else 'no dynamics'}: {MADE[kind][name]}"
