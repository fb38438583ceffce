// Make elements, and change what they say: what a person typed gets in as text only, never as markup.

/** Make an element; properties are set, `data` and `aria-...` as attributes; children are nodes or text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  set(made, properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The same for SVG, where everything is an attribute. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Let an element say `text`; one that says so already is left alone, since a live region speaks at each change. */
export function write(made, text) {
  if (made.textContent !== text) made.textContent = text;
}

function set(made, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === "data") Object.assign(made.dataset, value);
    else if (name.startsWith("aria-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
}
