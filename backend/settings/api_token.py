"""The control API's bearer token, kept in a file."""

from __future__ import annotations

import errno
import os
import secrets
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

_LOOKS, _PAUSE = 200, 0.01
"""How often, and with how many seconds between, a file is looked at that another process may just be writing."""
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL}
"""What file systems say that know no hard links, such as those of memory cards and of some shares."""


def kept(path: Path) -> str:
    """The token in this file; made on first use, readable by this user only. All processes agree on it.

    Raises:
        OSError: the file cannot be read or made, or has nothing in it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with suppress(FileExistsError):
            _make(path, secrets.token_urlsafe(32))
    return _read(path)


def _make(path: Path, token: str) -> None:
    """Whole or not at all, where links are to be had. Raises FileExistsError where another process was first."""
    # Temporary files are readable by their user only.
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(token)
        file.flush()
        try:
            os.link(file.name, path)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _make_without_link(path, token)


def _make_without_link(path: Path, token: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(token)


def _read(path: Path) -> str:
    """An empty file may be one that is being written: the API must never take nothing for its token."""
    for _ in range(_LOOKS):
        if token := path.read_text().strip():
            return token
        threading.Event().wait(_PAUSE)
    raise OSError(errno.ENODATA, "it is empty: delete it, and another one is made", str(path))
