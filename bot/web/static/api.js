// Calls to this server: from its own page on loopback, from the Mini App with init data, or with a key.

import { say } from "./texts.js";

const KEY = "digitbot-api-key";

export class Refused extends Error {
  constructor(status, detail, hadKey) {
    super(detail);
    this.status = status;
    this.hadKey = hadKey; // that was not accepted
  }
}

export class Api {
  constructor(initData) {
    this.initData = initData;
  }

  // Whether a key could be one: headers carry no other characters.
  useKey(key) {
    const possible = /^[\x21-\x7e]+$/.test(key);
    if (possible) sessionStorage.setItem(KEY, key);
    return possible;
  }

  // The network's layers: [{name, weight: [inputs][neurons], bias: [neurons]}].
  async network() {
    return (await this.#call("GET", "/api/networks/classic")).json();
  }

  // The reading of a drawing (PNG), with what the networks see and do.
  async read(png) {
    return (await this.#call("POST", "/api/drawing", png)).json();
  }

  // The bot posts the drawing to the chat that the Mini App was opened in.
  async send(png) {
    await this.#call("POST", "/api/drawing/send", png);
  }

  async #call(method, path, body) {
    const response = await fetch(path, { method, body, headers: this.#headers(body) }).catch(() => {
      throw new Error(say("unreachable"));
    });
    if (response.ok) return response;
    const hadKey = !this.initData && sessionStorage.getItem(KEY) !== null;
    if (response.status === 401) sessionStorage.removeItem(KEY);
    throw new Refused(response.status, await detailOf(response), hadKey);
  }

  #headers(body) {
    const headers = body ? { "Content-Type": "image/png" } : {};
    const key = sessionStorage.getItem(KEY);
    if (this.initData) headers.Authorization = `tma ${this.initData}`;
    else if (key) headers["X-API-Key"] = key;
    return headers;
  }
}

async function detailOf(response) {
  try {
    return (await response.json()).detail;
  } catch {
    return response.statusText;
  }
}
