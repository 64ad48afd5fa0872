"""Who a user is, to the store: a keyed hash that nobody without June's key can turn back."""

import os
import secrets
from hashlib import blake2b
from pathlib import Path

from session.errors import StoreUnusable

KEY_FILE = "secret.key"
KEY_BYTES = 32


def hash_user(user: str, key: bytes) -> str:
    """64 hex digits; the same for the same user and key, on every machine."""
    # BLAKE2 takes keys of up to 64 bytes; an operator's may be longer.
    short_key = blake2b(key, digest_size=64).digest()
    # Replacing what is no UTF-8 would make one user of two.
    return blake2b(user.encode("utf-8", "surrogatepass"), key=short_key, digest_size=32).hexdigest()


def key_in(data_dir: Path) -> bytes:
    """June's own key, made at first use. Several processes may ask at once and get the same.

    Raises:
        StoreUnusable: if it can be neither read nor made, or is not whole.
    """
    path = data_dir / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
    except OSError as error:
        raise StoreUnusable(
            f"the key `{path}` can be neither read nor made: {error.strerror}\n"
            f"hint: `chown -R $(id -un) {data_dir}` as root, or set `JUNE_SECRET_KEY`"
        ) from error
    if len(key) < KEY_BYTES:
        raise StoreUnusable(
            f"the key `{path}` has {len(key)} bytes instead of {KEY_BYTES}\n"
            f"hint: put it back from a copy, or forget all earlier callers with `rm {path}`"
        )
    return key


def _make(path: Path) -> None:
    """Whole or not at all, because a reader may come at any moment."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{KEY_FILE}.{secrets.token_hex(4)}")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(handle)
        os.link(new, path)  # fails where another process was first, whose key then counts
    except FileExistsError:
        pass
    finally:
        new.unlink()
