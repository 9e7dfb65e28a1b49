// A small menu at a place, closed by a choice, a press elsewhere or Escape.

import { $, element, icon, pictured } from "./dom.js";
import { say } from "./texts.js";

const popup = $("#popup");
let opener = null;

// `items`: [{ icon, label, run, danger }]; `quick`: [{ label, run }] in a row above them.
export function openPopup(items, { x, y, above = false }, quick = []) {
  opener = document.activeElement;
  const choose = (run) => () => { closePopup(); run(); };
  const row = quick.length ? [element("div", { class: "quick" }, ...quick.map(({ label, run }) =>
    element("button", { type: "button", role: "menuitem", "aria-label": say("react", { emoji: label }), onclick: choose(run) }, pictured(label))))] : [];
  popup.replaceChildren(...row, ...items.map((item) =>
    element("button", { type: "button", role: "menuitem", class: item.danger ? "item danger" : "item", onclick: choose(item.run) }, icon(item.icon), item.label)));
  popup.hidden = false;
  const { offsetWidth: width, offsetHeight: height } = popup;
  popup.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
  popup.style.top = `${Math.max(8, Math.min(above ? y - height : y, innerHeight - height - 8))}px`;
  $("button.item", popup)?.focus({ preventScroll: true });
}

export function closePopup() {
  if (popup.hidden) return;
  popup.hidden = true;
  opener?.focus?.({ preventScroll: true });
}

document.addEventListener("pointerdown", (event) => { if (!popup.contains(event.target)) popup.hidden = true; });
popup.addEventListener("keydown", (event) => {
  const buttons = [...popup.querySelectorAll("button")];
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step) buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
  else if (event.key === "Escape" || event.key === "Tab") closePopup();
  else return;
  event.preventDefault();
});
