// A Web App beside the chat, as Telegram opens the Mini App: in a frame, told who opened it.

import { post } from "./api.js";
import { $ } from "./dom.js";

const panel = $("#panel");
const frame = $("iframe", panel);

let launches = 0; // only the newest one opens, unless the panel was closed since

export async function openWebApp(title, url, user) {
  const launch = launches += 1;
  const background = toHex(getComputedStyle(document.documentElement).getPropertyValue("--surface"));
  const { path } = await post("/launch", { user_id: user.id, url, background });
  if (launch !== launches) return;
  $("h2", panel).textContent = title;
  frame.title = title;
  const fresh = frame.cloneNode(); // a changed fragment alone would not load it anew
  fresh.src = path;
  $("iframe", panel).replaceWith(fresh);
  panel.hidden = false;
  $("button", panel).focus();
}

export function closeWebApp() {
  launches += 1;
  if (panel.hidden) return;
  const hadFocus = panel.contains(document.activeElement);
  panel.hidden = true;
  $("iframe", panel).removeAttribute("src");
  if (hadFocus) $("#text").focus();
}

function toHex(colour) {
  const context = document.createElement("canvas").getContext("2d");
  context.fillStyle = colour.trim();
  return context.fillStyle;
}

$("button", panel).addEventListener("click", closeWebApp);
panel.addEventListener("keydown", (event) => event.key === "Escape" && closeWebApp());
addEventListener("message", (event) => {
  if (event.origin !== location.origin || event.source !== $("iframe", panel).contentWindow) return;
  try {
    if (JSON.parse(event.data).eventType === "web_app_close") closeWebApp();
  } catch {
    // other messages are none of ours
  }
});
