"""Who a user is, to the store: a keyed hash that nobody without June's key can turn back."""

import os
import secrets
from hashlib import blake2b
from pathlib import Path

KEY_FILE = "secret.key"
KEY_BYTES = 32


def hash_user(user: str, key: bytes) -> str:
    """64 hex digits; the same for the same user and key, on every machine."""
    # BLAKE2 takes keys of up to 64 bytes; an operator's may be longer.
    short_key = blake2b(key, digest_size=64).digest()
    return blake2b(user.encode("utf-8", "replace"), key=short_key, digest_size=32).hexdigest()


def key_in(data_dir: Path) -> bytes:
    """June's own key, made at first use. Several processes may ask at once and get the same."""
    path = data_dir / KEY_FILE
    if not path.exists():
        new = path.with_name(f"{KEY_FILE}.{secrets.token_hex(4)}")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(new, path)  # fails where another process was first, whose key then counts
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path.read_bytes()
