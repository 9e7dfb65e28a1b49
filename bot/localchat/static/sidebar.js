// Who writes, and the chats that this person sees.

import { $, avatar, clock, day, daysAgo, element, summary } from "./dom.js";
import { say } from "./texts.js";

// `state`: { users, chats, me, chat, unread: Map(chat_id -> count), bot }; `actions`: person(user), chat(chat)
export function drawSidebar(state, actions) {
  const focused = document.activeElement.closest("#people, #chats button"); // of people the chosen one, of chats that one
  $("#people").replaceChildren(...state.users.map((user) => person(user, state, actions)));
  $("#chats").replaceChildren(...chatsOf(state, state.me).map((chat) => row(chat, state, actions)));
  if (focused) $(focused.dataset.chat ? `#chats [data-chat="${focused.dataset.chat}"]` : '#people [aria-checked="true"]')?.focus();
}

export const chatsOf = (state, user) => state.chats.filter((chat) => chat.type !== "private" || chat.id === user.id);

function person(user, state, actions) {
  const chosen = user.id === state.me.id;
  const unread = chosen ? 0 : state.unread.get(user.id) ?? 0;
  return element("button", {
    type: "button", role: "radio", "aria-checked": String(chosen), tabindex: chosen ? "0" : "-1",
    onclick: () => actions.person(user),
    onkeydown: (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = state.users[(state.users.indexOf(user) + step + state.users.length) % state.users.length];
      actions.person(next);
    },
  }, avatar(user), user.first_name, unread ? badge(unread) : null);
}

function row(chat, state, actions) {
  const unread = state.unread.get(chat.id) ?? 0;
  const last = chat.last[0]?.message;
  const current = chat.id === state.chat.id;
  return element("li", { "aria-current": current ? "true" : undefined },
    element("button", { type: "button", dataset: { chat: chat.id }, onclick: () => actions.chat(chat) },
      avatar(chat.type === "private" ? state.bot : chat),
      element("span", { class: "names" },
        element("div", {}, element("strong", {}, chat.title ?? state.bot.first_name), last ? element("time", {}, when(last.date)) : null),
        element("p", {}, last ? preview(last, chat, state) : say("no_messages"))),
      unread ? badge(unread) : null));
}

function preview(message, chat, state) {
  const name = message.from.id === state.me.id ? say("you") : message.from.first_name;
  return chat.type === "private" && message.from.is_bot ? summary(message) : `${name}: ${summary(message)}`;
}

const when = (seconds) => (daysAgo(seconds) === 0 ? clock(seconds) : day(seconds));
const badge = (count) => element("span", { class: "unread", "aria-label": say("unread", { count }) }, String(count));
