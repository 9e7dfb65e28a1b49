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
  $("#alert").showModal();
}

export function showPhoto(address, tiny) {
  const image = $("#viewer img");
  image.src = address;
  image.classList.toggle("tiny", tiny);
  $("#viewer").showModal();
}

$("#viewer").addEventListener("click", () => $("#viewer").close());
