"""What a package offers to those who import it: loaded when used (SPEC 1), told if misspelt."""

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import lazy_loader

# Packages that come with an extra of that name.
EXTRAS = {"torch": "torch", "sklearn": "sklearn", "pooch": "data", "dask": "dask"}
EXTRAS |= dict.fromkeys(("lightning", "safetensors", "tensorboard", "transformers"), "integrations")


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
                raise _missing(f"{package}.{name}", str(error.name)) from None
        if name.startswith("__"):
            raise AttributeError(name)
        # `from package import name` asks here first, and only then for a module of that name.
        importing = sys._getframe(1).f_code.co_name == "_handle_fromlist"
        if importing and find_spec(f"{package}.{name}") is not None:
            raise AttributeError(name)
        raise (ImportError if importing else AttributeError)(_there_is(package, name, offered))

    return __getattr__, listed, offered


def needed(module: str, by: str) -> Any:
    """Import a module of an extra, or say which one is missing.

    Parameters
    ----------
    module
        Such as ``safetensors``.
    by
        What needs it, such as the name of a file.

    Raises
    ------
    ModuleNotFoundError
        In a line with the extra that brings it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        package = module.partition(".")[0]
        if (error.name or "").partition(".")[0] != package:
            raise
        raise _missing(by, package) from None


def _missing(by: str, package: str) -> ModuleNotFoundError:
    return ModuleNotFoundError(
        f"{by} needs {package}, which is not installed: pip install 'koopscope[{EXTRAS[package]}]'",
        name=package,
    )


def _there_is(package: str, name: str, offered: list[str]) -> str:
    # Imported here: an import that finds its name has no use for it.
    from difflib import get_close_matches

    near = get_close_matches(name, offered, 1)
    meant = f", did you mean {near[0]!r}" if near else ""
    there = ", ".join(sorted(offered, key=str.lower))
    return f"{package} has no {name!r}{meant}; it offers {there}"
