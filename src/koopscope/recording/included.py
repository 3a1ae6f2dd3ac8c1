"""Names of weights as people give them: lists, patterns, and without what wrappers add."""

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase

from koopscope.errors import InputError

# Names under which wrappers, that a run may or may not have, keep what is in them; those after the
# first are no names of other parts.
WRAPPERS = ("module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")


def listed_names(include: Iterable[str] | None) -> list[str] | None:
    """Names or patterns as a list; a single text is refused, whose letters would be taken."""
    if isinstance(include, str):
        raise InputError(f"include: {include!r} is one text; give a list of names or patterns")
    if include is None:
        return None
    names = list(include) if isinstance(include, Iterable) else [None]
    if not all(isinstance(name, str) for name in names):
        raise InputError(f"include: {include!r}; give a list of names or patterns")
    return names


def chosen(
    known: Iterable[str], include: list[str] | None, by_name_alone: Collection[str] = ()
) -> list[str]:
    """Names that are included, in the order in which they are known.

    Parameters
    ----------
    known
        All of them.
    include
        Names or patterns; None for all.
    by_name_alone
        Those of them that no pattern means.

    Raises
    ------
    InputError
        If nothing is named, or a name or pattern fits none.
    """
    names = list(known)
    if include is None:
        return names
    if not include or len(set(include)) < len(include):
        raise InputError(f"include: {include}; give one or more different names of parameters")

    def fits(name: str, pattern: str) -> bool:
        return name == pattern or (name not in by_name_alone and fnmatchcase(name, pattern))

    for pattern in include:
        if not any(fits(name, pattern) for name in names):
            first = [name for name in names if name not in by_name_alone]
            shown = ", ".join(first[:8]) + (", …" if len(first) > 8 else "")
            raise InputError(f"include: the model has no {pattern!r}; it has {shown or 'none'}")
    return [name for name in names if any(fits(name, pattern) for pattern in include)]


def unwrapped(name: str) -> str:
    """Name without what wrappers put before its parts."""
    parts = [part for part in name.split(".") if part not in WRAPPERS[1:]]
    while len(parts) > 1 and parts[0] == WRAPPERS[0]:
        del parts[0]
    return ".".join(parts)
