// Short notices over the chat, and alerts that wait for a press.

import { $, element } from "./dom.js";

const SHOWN = 3200; // milliseconds

export function toast(text) {
  const notice = element("p", {}, text);
  $("#toasts").append(notice);
  setTimeout(() => notice.remove(), SHOWN + 30 * text.length);
}

export function alertBox(text) {
  $("#alert-text").textContent = text;
  openDialog($("#alert"));
}

// Notices stand above dialogs, which lie over everything that was there before them.
export function openDialog(dialog) {
  dialog.showModal();
  raise();
}

function raise() {
  $("#toasts").hidePopover?.();
  $("#toasts").showPopover?.();
}

export function showPhoto(address, tiny) {
  const image = $("#viewer img");
  image.src = address;
  image.classList.toggle("tiny", tiny);
  openDialog($("#viewer"));
}

$("#viewer").addEventListener("click", () => $("#viewer").close());
raise();
