// The server's side of the chat: requests, and live events.

import { say } from "./texts.js";

const ROOT = "/localchat";
const NO_PHOTO = /(IMAGE_PROCESS_FAILED|PHOTO_INVALID_DIMENSIONS)$/; // what Telegram says of a file that can only be sent as one
export const AGAIN = 3000; // milliseconds until what could not be had is asked for again
const UNSEEN = 3000; // milliseconds that a hidden tab keeps its line

export async function get(path) {
  return answer(await reach(ROOT + path));
}

export async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  return answer(await reach(ROOT + path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export async function upload(path, fields, files) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value !== undefined && value !== null) form.append(name, value);
  files.forEach((file, index) => form.append(`file${index}`, file, file.name || "file"));
  return answer(await reach(ROOT + path, { method: "POST", body: form }));
}

export async function sampleFile(seed, index) {
  const response = await reach(sampleAddress(seed, index));
  if (!response.ok) throw new Error(say("failed", { status: response.status }));
  return new File([await response.blob()], "sample.jpg", { type: "image/jpeg" });
}

async function reach(address, options) {
  try {
    return await fetch(address, options);
  } catch {
    throw new Error(say("unreachable"));
  }
}

async function answer(response) {
  const body = await response.json().catch(() => ({}));
  if (NO_PHOTO.test(body.description)) throw new Error(say("no_picture"));
  if (!response.ok) throw new Error(body.description ?? say("failed", { status: response.status }));
  return body;
}

export const fileAddress = (fileId) => `${ROOT}/files/${fileId}`;
export const sampleAddress = (seed, index) => `${ROOT}/samples/${seed}/${index}`;

// Calls `onEvent` for everything that happens, `onOpen` each time the line is up (read the history anew), `onLost` when it is
// down. Tabs that nobody looks at give their line up: a browser has six for all of them.
export function listen({ onEvent, onOpen, onLost }) {
  let source = null;
  let timer = 0;
  const open = () => {
    source = new EventSource(`${ROOT}/events`);
    source.addEventListener("ready", onOpen);
    source.addEventListener("message", (event) => onEvent(JSON.parse(event.data)));
    source.addEventListener("error", () => {
      onLost();
      if (source?.readyState === EventSource.CLOSED) reopen(); // refused, where a lost line comes back by itself
    });
  };
  const close = () => {
    source.close();
    source = null;
  };
  const reopen = () => {
    close();
    timer = setTimeout(look, AGAIN);
  };
  const look = () => {
    clearTimeout(timer);
    if (!document.hidden && !source) open();
    if (document.hidden && source) timer = setTimeout(close, UNSEEN);
  };
  document.addEventListener("visibilitychange", look);
  look();
}
