// The list of messages: newest below, grouped by sender, with days between; older ones come when scrolled up.

import { bubble } from "./bubble.js";
import { avatar, day, element, isPlain } from "./dom.js";

const TOGETHER = 300; // seconds between messages of one group
const NEAR = 120; // pixels from the end that still count as reading the newest

export class Timeline {
  constructor(scroller, list, actions) {
    this.scroller = scroller;
    this.list = list;
    this.actions = actions;
    this.entries = new Map(); // message_id -> { message, reactions }
    list.addEventListener("keydown", (event) => this.#walk(event));
    list.addEventListener("contextmenu", (event) => this.#menu(event));
    touchMenus(list, (item, x, y) => actions.menu(this.entries.get(Number(item.dataset.id)), x, y));
    list.addEventListener("load", () => this.stick && this.toEnd(), true); // pictures grow the list
    scroller.addEventListener("scroll", () => this.#scrolled());
    new ResizeObserver(() => this.stick && this.toEnd()).observe(scroller);
    this.stick = true;
  }

  // Shows these; who has scrolled up to older ones stays there.
  show(entries, view) {
    const { stick, scroller: { scrollTop } } = this;
    this.view = view;
    this.entries = new Map();
    this.list.replaceChildren();
    entries.forEach((entry) => this.#insert(entry));
    this.#regroup();
    if (stick) this.toEnd();
    else this.scroller.scrollTop = scrollTop;
  }

  // Shows no message of the chat before.
  empty(view) {
    this.show([], view);
    this.toEnd();
  }

  // The older messages that are known, if none is missing between them and these newest ones.
  olderThan(entries) {
    const isNewer = ({ message }) => message.message_id >= entries[0]?.message.message_id;
    const known = [...this.entries.values()];
    return known.some(isNewer) ? known.filter((entry) => !isNewer(entry)) : [];
  }

  prepend(entries) {
    const before = this.scroller.scrollHeight;
    const known = [...this.entries.values()];
    const first = this.list.firstChild;
    this.entries = new Map();
    for (const entry of entries) {
      this.entries.set(entry.message.message_id, entry);
      this.list.insertBefore(bubble(entry, this.view, this.actions), first);
    }
    known.forEach((entry) => this.entries.set(entry.message.message_id, entry));
    this.#regroup();
    this.scroller.scrollTop += this.scroller.scrollHeight - before;
  }

  add(entry) {
    if (this.entries.has(entry.message.message_id)) return;
    const item = this.#insert(entry);
    item.classList.add("arrived");
    this.#regroup();
    if (this.stick || entry.message.from.id === this.view.me.id) this.toEnd();
  }

  change(entry) {
    const item = this.#item(entry.message.message_id);
    if (!item) return;
    this.entries.set(entry.message.message_id, entry);
    const changed = bubble(entry, this.view, this.actions);
    const focused = item.contains(document.activeElement);
    item.replaceWith(changed);
    this.#regroup();
    if (focused) changed.focus({ preventScroll: true });
    if (this.stick) this.toEnd();
  }

  react(messageId, reactions) {
    const entry = this.entries.get(messageId);
    if (entry) this.change({ ...entry, reactions });
  }

  remove(messageIds) {
    for (const id of messageIds) {
      this.entries.delete(id);
      this.#item(id)?.remove();
    }
    this.#regroup();
  }

  typing(isTyping) {
    this.list.querySelector(".typing")?.remove();
    if (!isTyping) return;
    const dots = element("div", { class: "bubble" }, element("i"), element("i"), element("i"));
    this.list.append(element("li", { class: "message typing first last", "aria-hidden": "true" }, element("div", { class: "body" }, dots)));
    if (this.stick) this.toEnd();
  }

  jump(messageId) {
    const item = this.#item(messageId);
    if (!item) return;
    item.scrollIntoView({ block: "center", behavior: "smooth" });
    item.classList.remove("flash");
    requestAnimationFrame(() => item.classList.add("flash"));
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.stick = true;
  }

  get oldest() {
    return this.entries.keys().next().value;
  }

  get lastOwn() {
    return [...this.entries.values()].reverse().find(({ message }) => message.from.id === this.view.me.id);
  }

  #insert(entry) {
    this.entries.set(entry.message.message_id, entry);
    const item = bubble(entry, this.view, this.actions);
    this.list.insertBefore(item, this.list.querySelector(".typing"));
    return item;
  }

  #item(messageId) {
    return this.list.querySelector(`[data-id="${messageId}"]`);
  }

  // Marks where groups begin and end, and writes the days.
  #regroup() {
    this.list.querySelectorAll(".day").forEach((old) => old.remove());
    const items = [...this.list.querySelectorAll(".message[data-id]")];
    items.forEach((item, index) => {
      const previous = items[index - 1];
      const next = items[index + 1];
      const newDay = !previous || day(previous.dataset.date) !== day(item.dataset.date);
      if (newDay) item.before(element("li", { class: "day" }, element("span", {}, day(item.dataset.date))));
      item.classList.toggle("first", newDay || !together(previous, item));
      item.classList.toggle("last", !next || !together(item, next));
      item.tabIndex = next ? -1 : 0; // Tab comes to the newest, arrows walk from there
      const place = item.querySelector(".gap, :scope > .avatar");
      if (place) {
        const { from } = this.entries.get(Number(item.dataset.id)).message;
        place.replaceWith(item.classList.contains("last") ? avatar(from) : element("span", { class: "gap" }));
      }
    });
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroller;
    this.stick = scrollHeight - scrollTop - clientHeight < NEAR;
    this.actions.scrolled(this.stick, scrollTop < NEAR);
  }

  #walk(event) {
    const item = event.target.closest(".message[data-id]");
    if (!item || event.target.closest("input, textarea")) return;
    const steps = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" };
    if (steps[event.key]) {
      let next = item[steps[event.key]];
      while (next && !next.matches(".message[data-id]")) next = next[steps[event.key]];
      if (next) next.focus();
      else if (event.key === "ArrowDown") this.actions.leave();
      event.preventDefault();
    } else if (event.key === "r" && event.target === item && isPlain(event)) {
      this.actions.reply(this.entries.get(Number(item.dataset.id)).message);
      event.preventDefault();
    }
  }

  #menu(event) {
    const item = event.target.closest(".message[data-id]");
    if (!item || event.target.closest("a")) return;
    event.preventDefault();
    const box = item.querySelector(".bubble").getBoundingClientRect();
    const keyboard = event.button !== 2 || (event.clientX === 0 && event.clientY === 0);
    const [x, y] = keyboard ? [box.left + 12, box.top + 12] : [event.clientX, event.clientY];
    this.actions.menu(this.entries.get(Number(item.dataset.id)), x, y);
  }
}

function together(one, other) {
  return one.dataset.sender === other.dataset.sender && other.dataset.date - one.dataset.date < TOGETHER;
}

// A long press opens the menu where no right button is; browsers that send "contextmenu" for it are served by that.
function touchMenus(list, open) {
  let timer = 0;
  const stop = () => clearTimeout(timer);
  list.addEventListener("touchstart", (event) => {
    const item = event.target.closest(".message[data-id]");
    stop();
    if (!item || event.touches.length > 1) return;
    const { clientX, clientY } = event.touches[0];
    timer = setTimeout(() => open(item, clientX, clientY), 480);
  }, { passive: true });
  for (const name of ["touchmove", "touchend", "touchcancel"]) list.addEventListener(name, stop, { passive: true });
}
