"""Text that every store can hold."""


def storable(text: str) -> str:
    """What UTF-8 cannot hold (lone surrogates) and NUL are replaced."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
