"""Where June keeps things, as absolute paths, because a job's process may stand elsewhere."""

import os
import pwd
from collections.abc import Mapping
from pathlib import Path

CONSENTS = "consents"
"""In June's folder: recordings of consents, where they are kept."""


def data_folder(given: str, environ: Mapping[str, str]) -> Path:
    """June's folder as given, else where the XDG rules put it.

    Raises:
        LookupError: if that is in a home folder and the user has none.
    """
    if given:
        return absolute(given, environ)
    shared = Path(environ.get("XDG_DATA_HOME", ""))
    # The XDG rules say that a relative path is to be ignored.
    return (shared if shared.is_absolute() else _home(environ) / ".local/share") / "june"


def absolute(path: str, environ: Mapping[str, str]) -> Path:
    """The path from where the user is, with `~` for the home folder.

    Raises:
        LookupError: if it begins with `~` and the user has no home folder.
    """
    if path == "~" or path.startswith("~/"):
        path = str(_home(environ)) + path[1:]
    return Path(os.path.abspath(path))  # noqa: PTH100 (resolve() would follow links)


def absolute_store_url(url: str, environ: Mapping[str, str]) -> str:
    scheme, _, path = url.partition(":")
    return f"{scheme}:{absolute(path, environ)}" if scheme == "sqlite" else url


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME")
    return Path(home) if home else Path(pwd.getpwuid(os.getuid()).pw_dir)
