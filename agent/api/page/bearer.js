// A token or a key in a header, which carries bytes: June reads them as UTF-8.

/** Without anything that no header can carry, such as a line's end from pasting. */
export function bearer(secret) {
  const bytes = new TextEncoder().encode(secret.replaceAll(/[\x00-\x1f\x7f]/g, ""));
  return { Authorization: `Bearer ${String.fromCharCode(...bytes)}` };
}
