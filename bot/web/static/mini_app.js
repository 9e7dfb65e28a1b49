// How Telegram (or the local chat) opens this page: launch data in the URL's fragment, and Telegram's own script, which is
// loaded only when Telegram opened it.

const SCRIPT = "https://telegram.org/js/telegram-web-app.js";
const LOCAL = "localchat"; // the platform that the local chat names

export class MiniApp {
  constructor(fragment) {
    const parameters = new URLSearchParams(fragment.replace(/^#/, ""));
    this.initData = parameters.get("tgWebAppData") ?? "";
    this.platform = parameters.get("tgWebAppPlatform") ?? "";
    this.theme = schemeOf(parameters.get("tgWebAppThemeParams"));
  }

  get opened() {
    return this.initData !== "";
  }

  // Tells the app around the page that it is ready, and asks for its whole height.
  async start() {
    if (!this.opened) return;
    if (this.theme) document.documentElement.dataset.theme = this.theme;
    if (this.platform === LOCAL) return;
    await load(SCRIPT).catch(() => undefined); // drawing and sending work without it
    const app = window.Telegram?.WebApp;
    app?.ready();
    app?.expand();
    app?.disableVerticalSwipes?.(); // a stroke downwards is no wish to leave
  }

  close() {
    if (this.platform === LOCAL) parent.postMessage(JSON.stringify({ eventType: "web_app_close" }), location.origin);
    else window.Telegram?.WebApp?.close();
  }
}

// "dark" or "light" from the background that the theme names, or null.
function schemeOf(json) {
  try {
    const [red, green, blue] = JSON.parse(json).bg_color.match(/[\da-f]{2}/gi).map((part) => parseInt(part, 16));
    return 0.299 * red + 0.587 * green + 0.114 * blue < 128 ? "dark" : "light";
  } catch {
    return null;
  }
}

function load(source) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src: source, onload: resolve, onerror: reject });
    document.head.append(script);
  });
}
