// Elements, made and changed as little as possible: what did not change keeps its place, focus and unfolding.

const views = new WeakMap();

/** A new element. Text is always text: rooms are named by strangers. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Text in which what stands in backticks is shown as code. */
export function setQuoted(node, text) {
  if (node.dataset.quoted === text) return;
  node.dataset.quoted = text;
  const parts = text.split("`");
  // Without its partner, a backtick is one.
  if (parts.length % 2 === 0) parts.push(`${parts.splice(-2, 1)[0]}\`${parts.pop()}`);
  node.replaceChildren(...parts.map((part, at) => (at % 2 ? element("code", {}, part) : part)));
}

export function setAttribute(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

export function setHidden(node, isHidden) {
  if (node.hidden !== isHidden) node.hidden = isHidden;
}

/**
 * Lets `parent` have one child for each item, in their order. `make(item)` returns a view with its element as `root`;
 * `update(view, item)` is called for old ones as well. An element that stays is not moved unless it must.
 */
export function keyed(parent, items, keyOf, make, update) {
  const before = views.get(parent) ?? new Map();
  // Of two with one key, the later counts.
  const wanted = new Map(items.map((item) => [keyOf(item), item]));
  const after = new Map();
  for (const [key, item] of wanted) after.set(key, before.get(key) ?? make(item));
  for (const [key, view] of before) if (!after.has(key)) remove(view.root, parent);
  views.set(parent, after);

  let place = parent.firstElementChild;
  for (const [key, view] of after) {
    if (view.root === place) place = place.nextElementSibling;
    else parent.insertBefore(view.root, place);
    update(view, wanted.get(key));
  }
}

/** Whoever had the focus in what goes is put at the head of its section, and not at the top of the page. */
function remove(root, parent) {
  const hadFocus = root.contains(document.activeElement);
  root.remove();
  if (hadFocus) parent.closest("section")?.querySelector("[tabindex='-1']")?.focus({ preventScroll: true });
}
