// Formatted text: a message's entities become elements. Offsets are UTF-16 code units, as JavaScript counts.

import { element } from "./dom.js";
import { say } from "./texts.js";

// `onCommand(command)` runs when somebody presses a /command in the text.
export function formatted(text, entities = [], onCommand = () => {}) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const fragment = document.createDocumentFragment();
  fragment.append(...pieces(text, 0, text.length, sorted, onCommand));
  return fragment;
}

function pieces(text, start, end, entities, onCommand) {
  const made = [];
  let position = start;
  let index = 0;
  while (index < entities.length) {
    const entity = entities[index];
    const stop = Math.min(entity.offset + entity.length, end);
    let next = index + 1;
    while (next < entities.length && entities[next].offset < stop) next += 1;
    if (entity.offset > position) made.push(text.slice(position, entity.offset));
    const inside = pieces(text, entity.offset, stop, entities.slice(index + 1, next), onCommand);
    made.push(wrap(entity, text.slice(entity.offset, stop), inside, onCommand));
    position = stop;
    index = next;
  }
  if (position < end) made.push(text.slice(position, end));
  return made;
}

const TAGS = { bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre", blockquote: "blockquote", expandable_blockquote: "blockquote" };

function wrap(entity, words, children, onCommand) {
  if (TAGS[entity.type]) return element(TAGS[entity.type], {}, ...children);
  if (entity.type === "text_link" || entity.type === "url") return link(entity.url ?? words, children);
  if (entity.type === "bot_command") {
    return element("button", { class: "command", type: "button", onclick: () => onCommand(words) }, ...children);
  }
  if (entity.type === "spoiler") {
    const show = (event) => event.currentTarget.classList.add("shown");
    return element("button", { class: "spoiler", type: "button", "aria-label": say("hidden"), onclick: show }, ...children);
  }
  return element("span", {}, ...children);
}

function link(address, children) {
  if (!/^(https?|mailto|tg):/i.test(address)) return element("span", {}, ...children);
  return element("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, ...children);
}
