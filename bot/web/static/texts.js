// The sentences of the page, in the language in which the server has rendered it.

const texts = JSON.parse(document.getElementById("texts").textContent);

// The sentence of this name, with {...} filled in from values.
export function say(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
