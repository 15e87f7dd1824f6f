"""Write a file beside its place, then rename it: there is never half a file."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from ..errors import InvalidError


class BesideFile:
    """
    An output file that appears under its name when it is complete.

    Args:
        path: Its name.

        mode: Its permissions.

    Raises:
        InvalidError: If nothing can be written there.
    """

    def __init__(self, path: str | os.PathLike[str], mode: int = 0o600) -> None:
        self.path = Path(path)
        self._mode = mode
        # Found out now, not after an hour of recording.
        if self.path.is_dir():
            raise _cannot(self.path, "is a directory")
        try:
            # In the same folder, because a rename cannot cross file systems.
            # Hidden, so that nobody who lists the folder takes it for the file.
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        except OSError as error:
            raise _cannot(self.path, error.strerror or str(error)) from None
        self._beside = Path(name)
        self.out: IO[bytes] = os.fdopen(handle, "wb")

    def keep(self) -> None:
        """
        Complete it: an old file of that name is replaced at once and wholly.

        Raises:
            InvalidError: If it cannot be; the old file then stays as it is.
        """
        try:
            self.out.close()
            # mkstemp made it private; the umask has no say in what was asked for.
            self._beside.chmod(self._mode)
            self._beside.replace(self.path)
        except OSError as error:
            self._beside.unlink(missing_ok=True)
            raise _cannot(self.path, error.strerror or str(error)) from None

    def drop(self) -> None:
        """Leave no trace of it."""
        # A full disk may refuse what is still buffered; nobody wants that any more.
        with contextlib.suppress(OSError):
            self.out.close()
        self._beside.unlink(missing_ok=True)


@contextlib.contextmanager
def written_beside(path: str | os.PathLike[str], mode: int = 0o600) -> Iterator[IO[bytes]]:
    """
    Open *path* for writing; it appears when the block ends without an exception.

    Raises:
        InvalidError: If nothing can be written there.
    """
    file = BesideFile(path, mode)
    try:
        yield file.out
    # A cancelled task is no exception of the usual kind, but leaves half a file as well.
    except BaseException:
        file.drop()
        raise
    # Outside of the block above: what cannot be kept has cleaned up after
    # itself.
    file.keep()


def _cannot(path: Path, why: str) -> InvalidError:
    return InvalidError(f"cannot write {path}: {why}")
