// Short notices over the chat, and alerts that wait for a press.

import { $, element } from "./dom.js";

const SHOWN = 3200; // milliseconds
const toasts = $("#toasts");
const chat = toasts.parentElement;

export function toast(text) {
  const notice = element("p", {}, text);
  toasts.append(notice);
  setTimeout(() => notice.remove(), SHOWN + 30 * text.length);
}

export function alertBox(text) {
  $("#alert-text").textContent = text;
  openDialog($("#alert"));
}

export function openDialog(dialog) {
  dialog.showModal();
  raise();
}

// Notices stand above an open dialog, and in it: a dialog lies over everything that was there before it, and all that is
// outside of it is not read to who cannot see. Browsers without popovers show them in it as well.
function raise() {
  ([...document.querySelectorAll("dialog[open]")].at(-1) ?? chat).append(toasts);
  toasts.showPopover?.();
}

export function showPhoto(address, tiny) {
  const image = $("#viewer img");
  image.src = address;
  image.classList.toggle("tiny", tiny);
  openDialog($("#viewer"));
}

for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", raise);
$("#viewer").addEventListener("click", () => $("#viewer").close());
raise();
