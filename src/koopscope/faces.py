"""What a package offers to those who import it: loaded when used (SPEC 1), told if misspelt."""

import sys
from collections.abc import Callable
from importlib.util import find_spec

import lazy_loader

# Packages that come with an extra of that name.
EXTRAS = {"torch": "torch", "sklearn": "sklearn", "pooch": "data", "dask": "dask"}


def attach(
    package: str, file: str
) -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Give a package the names in the stub beside it, as ``__getattr__, __dir__, __all__``.

    Parameters
    ----------
    package, file
        ``__name__`` and ``__file__`` of the package, beside which ``__init__.pyi`` lies.
    """
    load, listed, offered = lazy_loader.attach_stub(package, file)

    def __getattr__(name: str) -> object:
        if name in offered:
            try:
                return load(name)
            except ModuleNotFoundError as error:
                extra = EXTRAS.get(error.name or "")
                if extra is None:
                    raise
                raise ModuleNotFoundError(
                    f"{package}.{name} needs {error.name}, which is not installed: "
                    f"pip install 'koopscope[{extra}]'",
                    name=error.name,
                ) from None
        if name.startswith("__"):
            raise AttributeError(name)
        # `from package import name` asks here first, and only then for a module of that name.
        importing = sys._getframe(1).f_code.co_name == "_handle_fromlist"
        if importing and find_spec(f"{package}.{name}") is not None:
            raise AttributeError(name)
        raise (ImportError if importing else AttributeError)(_there_is(package, name, offered))

    return __getattr__, listed, offered


def _there_is(package: str, name: str, offered: list[str]) -> str:
    # Imported here: an import that finds its name has no use for it.
    from difflib import get_close_matches

    near = get_close_matches(name, offered, 1)
    meant = f", did you mean {near[0]!r}" if near else ""
    there = ", ".join(sorted(offered, key=str.lower))
    return f"{package} has no {name!r}{meant}; it offers {there}"
