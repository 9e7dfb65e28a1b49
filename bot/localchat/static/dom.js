// Elements from JavaScript, and the few things that every part of the page needs.

import { say } from "./texts.js";

export const $ = (selector, root = document) => root.querySelector(selector);

// element("p", { class: "fine", hidden: true, dataset: { kind: "x" }, onclick: f }, "text", otherElement)
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "dataset") Object.assign(made.dataset, value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// Does what a button is for; pressed again before that is done, it does nothing.
export async function once(button, action) {
  button.disabled = true;
  try {
    await action();
  } finally {
    button.disabled = false;
  }
}

// Whether a key was pressed by itself, and not for a shortcut of the browser.
export const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;

export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  const use = document.createElementNS(space, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.append(use);
  return svg;
}

// Who is who: people have a colour of their own, the bot its picture.
export function avatar(who) {
  if (who.is_bot) return element("img", { class: "avatar", src: "/localchat/static/icon.svg", alt: "" });
  const key = who.title ? "group" : keyOf(who);
  return element("span", { class: "avatar", dataset: { who: key }, "aria-hidden": "true" }, (who.title ?? who.first_name)[0]);
}

export const keyOf = (user) => user.username?.replace(/_local$/, "") ?? "";

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KB`;
  return `${(count / 1024 / 1024).toFixed(1)} MB`;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long" });
export const clock = (seconds) => CLOCK.format(seconds * 1000);

export const daysAgo = (seconds) => Math.round((new Date().setHours(0, 0, 0, 0) - new Date(seconds * 1000).setHours(0, 0, 0, 0)) / 86_400_000);

export function day(seconds) {
  const distance = daysAgo(seconds);
  return distance === 0 ? say("today") : distance === 1 ? say("yesterday") : DAY.format(seconds * 1000);
}

// An emoji as a picture, also where its plain form is a letter-like sign ("❤", "✍").
export const pictured = (emoji) => (/^\p{Emoji_Presentation}/u.test(emoji) ? emoji : `${emoji}\uFE0F`);

// One line that says what a message is.
export function summary(message) {
  const words = message.text ?? message.caption ?? "";
  if (message.photo) return words ? `🖼 ${words}` : say("photo");
  if (message.document) return words || message.document.file_name;
  return words;
}
