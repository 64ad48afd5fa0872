"""June's pages in a real browser."""
