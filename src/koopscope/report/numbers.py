"""Numbers as they are written."""

import math


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits, or a dash for none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}g}"


def between(middle: float | None, low: float | None, high: float | None, digits: int = 3) -> str:
    """Write a number with its interval or range in brackets, where there is one."""
    said = number(middle, digits)
    if middle is None or low is None or high is None:
        return said
    return f"{said} [{number(low, digits)}, {number(high, digits)}]"


def percent(share: float | None) -> str:
    """Write a share in per cent, or a dash for none."""
    return "–" if share is None else f"{100 * share:.3g} %"


def decibels(snr: float) -> str:
    """Write a level of noise."""
    return f"{snr:g} dB".replace("-", "−")
