// The local chat: ties people, chats, timeline and composer to the server.

import { AGAIN, get, listen, post, sampleFile, upload } from "./api.js";
import { Composer } from "./composer.js";
import { $, avatar, element, keyOf, once } from "./dom.js";
import { alertBox, showPhoto, toast } from "./notices.js";
import { Outbox } from "./outbox.js";
import { closeWebApp, openWebApp } from "./panel.js";
import { openPopup } from "./popup.js";
import { chatsOf, drawSidebar } from "./sidebar.js";
import { say } from "./texts.js";
import { Timeline } from "./timeline.js";

const QUICK = ["👍", "❤", "🔥", "😁", "🤔", "👎"];
const ACTIONS = new Set(["typing", "upload_photo", "upload_document"]); // that have words of their own
const BUSY = 5000; // milliseconds that "typing" lasts
const PATIENCE = 15000; // milliseconds that a pressed button waits for its answer

const state = { bot: null, users: [], chats: [], me: null, chat: null, unread: new Map(), loaded: false, complete: false };
const waiting = new Set(); // presses that wait for their answer, as `pressOf` names them
const queries = new Map(); // query_id -> what ends the waiting of its press
let missed = null; // what happens while a history is on its way, which may or may not be in it
const answered = new Set(); // ids of queries whose answer came before the press was acknowledged
let busyTimer = 0;
let retryTimer = 0;

// An action whose error is shown; it gives undefined then, and else what the action gives.
const attempt = (action) => async (...values) => {
  try {
    return await action(...values);
  } catch (error) {
    toast(error.message);
    return undefined;
  }
};

const place = () => `/chats/${state.chat.id}`;
const send = attempt((text, replyTo) => post(`${place()}/messages`, { user_id: state.me.id, text, reply_to: replyTo }));
const edit = attempt((message, text) => post(`${place()}/messages/${message.message_id}`, { user_id: state.me.id, text }));
const react = attempt((message, emoji) => post(`${place()}/messages/${message.message_id}/reaction`, { user_id: state.me.id, emoji }));
const here = () => `${state.me.id} in ${state.chat.id}`;
const drafts = new Map(); // what is written and chosen where one is not now, by where
const waitingElsewhere = new Map(); // by where
// The action, which belongs to this person in this chat: called elsewhere, it waits until one is here again.
function later(action) {
  const where = here();
  return () => (where === here() ? action() : waitingElsewhere.set(where, [...(waitingElsewhere.get(where) ?? []), action]));
}
function takeUp() {
  const actions = waitingElsewhere.get(here()) ?? [];
  waitingElsewhere.delete(here());
  actions.forEach((action) => action());
}

// The files may be a promise: of what is fetched before it is sent.
const sendFiles = async (kind, files, caption) => {
  const target = composer.replyTo ? composer.target : null;
  const again = later(() => {
    composer.putBack("", target);
    if (fetched) outbox.again(kind, fetched, caption);
  });
  const [path, fields] = [`${place()}/${kind}`, { user_id: state.me.id, text: caption, reply_to: composer.replyTo }];
  if (target) composer.clear();
  const fetched = await files;
  if (!fetched || !await attempt(upload)(path, fields, fetched)) again();
};

const timeline = new Timeline($("#scroller"), $("#timeline"), {
  reply: (message) => composer.reply(message),
  press: attempt(press),
  pressOf,
  waits: (press) => waiting.has(press),
  command: (command) => send(command, null),
  photo: showPhoto,
  jump: (messageId) => timeline.jump(messageId),
  react,
  menu: openMessageMenu,
  leave: () => $("#text").focus(),
  scrolled: attempt(async (atEnd, atStart) => {
    $("#down").hidden = atEnd;
    if (atStart && state.loaded && !state.complete) await loadOlder();
  }),
});
const composer = new Composer({
  send,
  edit,
  later,
  editLast: () => { if (timeline.lastOwn) composer.edit(timeline.lastOwn.message); },
  files: (files) => outbox.review(files),
  openMenu: () => openBotMenu(),
  attach: (anchor) => {
    const { left, top } = anchor.getBoundingClientRect();
    openPopup([
      { icon: "photo", label: say("photo"), run: () => outbox.choose("photos") },
      { icon: "file", label: say("file"), run: () => outbox.choose("documents") },
      { icon: "draw", label: say("samples"), run: () => outbox.openSamples() },
    ], { x: left - 60, y: top - 8, above: true });
  },
});
const outbox = new Outbox({
  isReady: () => Boolean(state.chat),
  send: sendFiles,
  sample: attempt(async (seed, index) => [await sampleFile(seed, index)]),
});

// Who presses which button where: the same press also when the message is drawn anew meanwhile.
function pressOf(message, button) {
  return `${here()}: ${message.message_id} ${button.callback_data}`;
}

function setWaiting(press, isWaiting) {
  if (isWaiting) waiting.add(press);
  else waiting.delete(press);
  $(`[data-press="${CSS.escape(press)}"]`)?.classList.toggle("waiting", isWaiting);
}

async function press(message, button) {
  if (button.url) return open(button.url, "_blank", "noopener");
  if (button.web_app) return openWebApp(button.text, button.web_app.url, state.me);
  if (button.copy_text) {
    await navigator.clipboard.writeText(button.copy_text.text);
    return toast(say("copied"));
  }
  const pressed = pressOf(message, button);
  if (waiting.has(pressed)) return undefined; // pressed twice
  const over = () => {
    clearTimeout(patience);
    setWaiting(pressed, false);
  };
  const patience = setTimeout(over, PATIENCE);
  setWaiting(pressed, true);
  const body = { user_id: state.me.id, data: button.callback_data };
  try {
    const { query_id: query } = await post(`${place()}/messages/${message.message_id}/press`, body);
    if (answered.delete(query)) over();
    else queries.set(query, over);
  } catch (error) {
    over();
    throw error;
  }
}

function openMessageMenu({ message }, x, y) {
  const words = message.text ?? message.caption;
  const items = [{ icon: "reply", label: say("reply"), run: () => composer.reply(message) }];
  if (words) items.push({ icon: "copy", label: say("copy_text"), run: () => navigator.clipboard.writeText(words) });
  if (message.from.id === state.me.id) items.push({ icon: "edit", label: say("edit"), run: () => composer.edit(message) });
  openPopup(items, { x, y }, QUICK.map((emoji) => ({ label: emoji, run: () => react(message, emoji) })));
}

const openBotMenu = attempt(async () => {
  const button = state.chat.menu_button;
  if (button.type === "web_app") await openWebApp(button.text, button.web_app.url, state.me);
  else composer.toggleCommands();
});

function openChatMenu() {
  const { right, bottom } = $("#more").getBoundingClientRect();
  const items = [
    { icon: "theme", label: say(`theme_${localStorage.getItem("theme") ?? "system"}`), run: nextTheme },
    { icon: "clear", label: say("clear_history"), run: attempt(() => post(`${place()}/clear`, { user_id: state.me.id })) },
  ];
  if (state.chat.menu_button.type === "web_app") items.unshift({ icon: "menu", label: say("commands"), run: () => composer.toggleCommands() });
  if (state.chat.type === "private" && !state.chat.blocked) items.push({ icon: "stop", label: say("stop_bot"), danger: true, run: () => block(true) });
  openPopup(items, { x: right - 200, y: bottom + 4 });
}

const block = attempt((blocked) => post("/block", { user_id: state.me.id, blocked }));

function nextTheme() {
  const themes = [null, "light", "dark"];
  const next = themes[(themes.indexOf(localStorage.getItem("theme")) + 1) % themes.length];
  if (next) localStorage.setItem("theme", next);
  else localStorage.removeItem("theme");
  applyTheme();
}

function applyTheme() {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

// --- what is shown ---------------------------------------------------------------------------------------------------

const drawChoice = () => drawSidebar(state, { person: choosePerson, chat: chooseChat });

function drawFrame() {
  drawChoice();
  const isPrivate = state.chat.type === "private";
  $("#title").textContent = isPrivate ? state.bot.first_name : state.chat.title;
  $("#title-avatar").replaceChildren(avatar(isPrivate ? state.bot : state.chat));
  drawStatus();
  $("#more").hidden = false;
  composer.offer(state.chat.commands);
  const button = state.chat.menu_button;
  $("#menu").hidden = button.type !== "web_app" && !state.chat.commands.length;
  $("#menu span").textContent = button.type === "web_app" ? button.text : say("menu");
  $("#menu").setAttribute("aria-label", $("#menu span").textContent); // narrow screens show the icon alone
  drawFooter();
}

function drawStatus(action) {
  const words = action ? say(ACTIONS.has(action) ? action : "busy") : null;
  const idle = state.chat.type === "private" ? say("private_chat", { name: state.me.first_name }) : say("group_chat", { count: state.users.length });
  $("#status").textContent = words ?? idle;
  $("#status").classList.toggle("busy", Boolean(words));
  timeline.typing(Boolean(words));
}

function drawFooter() {
  $("footer").inert = !state.loaded; // nobody knows yet whether there is anything
  if (!state.loaded) return;
  const empty = timeline.entries.size === 0;
  const needsStart = state.chat.type === "private" && (state.chat.blocked || empty);
  $("#start").hidden = !needsStart;
  $("#start").textContent = say(state.chat.blocked ? "restart" : "start");
  $("#composer").hidden = needsStart;
  $("#welcome").hidden = !empty;
  if (empty) drawWelcome();
}

// What could not be caught up with is asked for again while the rest is shown.
function tryLater(again) {
  clearTimeout(retryTimer);
  retryTimer = setTimeout(again, AGAIN);
}

function offerRetry(again) {
  $("#welcome").hidden = false;
  $("#welcome").replaceChildren(
    element("p", {}, say("no_history")),
    element("button", { type: "button", class: "plain", onclick: (event) => once(event.currentTarget, again) }, say("try_again")),
  );
}

let samples; // the same buttons each time: one that is drawn anew while it sends would send again
function drawWelcome() {
  samples ??= outbox.sampleButtons(1, 4);
  const isPrivate = state.chat.type === "private";
  const words = isPrivate
    ? state.bot.description || state.bot.short_description || say("welcome_help")
    : say("group_help");
  $("#welcome").replaceChildren(
    avatar(isPrivate ? state.bot : state.chat),
    element("h2", {}, isPrivate ? say("welcome") : state.chat.title),
    element("p", {}, words),
    ...(isPrivate ? [element("div", { class: "strip" }, ...samples), element("p", { class: "fine" }, say("welcome_samples"))] : []),
  );
}

// --- people and chats ------------------------------------------------------------------------------------------------

async function choosePerson(user) {
  const sameGroup = state.chat.type !== "private" && state.chat;
  await chooseChat(sameGroup || chatsOf(state, user)[0], false, user);
}

async function chooseChat({ id }, shown = true, user = state.me) {
  drafts.set(here(), composer.exchange());
  state.me = user;
  const chat = state.chat = state.chats.find((one) => one.id === id); // a row may be older than the chats
  state.unread.delete(chat.id);
  state.loaded = false;
  $("#welcome").hidden = $("#down").hidden = true;
  timeline.empty(view()); // what was shown before must not be pressed while the history is on its way
  drawFrame();
  location.replace(`#${keyOf(state.me)}${chat.type === "private" ? "" : "/group"}`);
  closeWebApp();
  if (shown) $("#app").classList.remove("people");
  composer.exchange(drafts.get(here()));
  takeUp();
  await loadHistory();
}

const view = () => ({ me: state.me, users: state.users, bot: state.bot, group: state.chat.type !== "private" });

const loadHistory = attempt(async () => {
  const { chat } = state;
  const meanwhile = (missed = [...(missed ?? [])]); // what a load missed that this one overtakes is still to happen
  try {
    const { messages, complete } = await get(`/chats/${chat.id}/messages`);
    if (meanwhile !== missed) return; // another one is on its way
    const older = complete ? [] : timeline.olderThan(messages);
    if (!older.length) state.complete = complete;
    state.loaded = true;
    timeline.show([...older, ...messages], view());
    drawFrame();
  } catch (error) {
    if (meanwhile === missed) (state.loaded ? tryLater : offerRetry)(loadHistory);
    throw error;
  } finally {
    if (meanwhile === missed) {
      missed = null;
      meanwhile.forEach(happen);
    }
  }
});

async function loadOlder() {
  state.complete = true; // until the answer says otherwise, so that nothing is asked twice
  const { chat } = state;
  const { oldest } = timeline;
  let found = { messages: [], complete: false }; // also where there is no answer: who scrolls again asks again
  try {
    found = await get(`/chats/${chat.id}/messages?before=${oldest}`);
  } finally {
    if (chat.id === state.chat.id && oldest === timeline.oldest) { // not left, nor left and come back to
      state.complete = found.complete;
      timeline.prepend(found.messages);
    }
  }
}

// Answers may overtake one another: an older one does not take the place of a newer.
let asked = 0;
async function fetchState() {
  const mine = ++asked;
  const found = await get("/state");
  if (mine !== asked && state.chat) return;
  if (state.chat) countMissed(state.chats, found.chats);
  Object.assign(state, found);
}

const newest = (chat) => chat.last[0]?.message.message_id ?? 0;

// What came to other chats while nobody listened is unread, too.
function countMissed(known, found) {
  for (const chat of found) {
    const count = newest(chat) - newest(known.find(({ id }) => id === chat.id));
    if (count > 0 && chat.id !== state.chat.id) addUnread(chat.id, count);
  }
}

const addUnread = (chatId, count) => state.unread.set(chatId, (state.unread.get(chatId) ?? 0) + count);

const reload = attempt(async () => {
  try {
    await fetchState();
  } catch (error) {
    (state.chat ? tryLater : offerRetry)(reload);
    throw error;
  }
  const [name, group] = location.hash.slice(1).split("/");
  state.me = state.users.find((user) => keyOf(user) === name) ?? state.users[0];
  state.chat = (group && state.chats.find((chat) => chat.type !== "private")) || chatsOf(state, state.me)[0];
  await loadHistory();
});

const refresh = attempt(async () => {
  await fetchState();
  state.chat = state.chats.find((chat) => chat.id === state.chat.id);
  drawFrame();
});

// --- live events -----------------------------------------------------------------------------------------------------

const HANDLERS = {
  message(event) {
    const chat = state.chats.find((one) => one.id === event.chat_id);
    const isNews = event.message.message_id > newest(chat); // else it was counted with those missed
    if (isNews) chat.last = [event];
    if (event.chat_id === state.chat.id) {
      if (event.message.from.is_bot) clearBusy();
      timeline.add(event);
      drawFooter();
    } else if (isNews) {
      addUnread(event.chat_id, 1);
    }
    drawChoice();
  },
  edit(event) {
    const chat = state.chats.find((one) => one.id === event.chat_id);
    if (chat.last[0]?.message.message_id === event.message.message_id) chat.last = [event];
    if (chat.id === state.chat.id) timeline.change(event);
    drawChoice();
  },
  reactions: (event) => event.chat_id === state.chat.id && timeline.react(event.message_id, event.reactions),
  delete(event) {
    if (event.chat_id === state.chat.id) timeline.remove(event.message_ids);
    refresh();
  },
  action(event) {
    if (event.chat_id !== state.chat.id) return;
    drawStatus(event.action);
    clearTimeout(busyTimer);
    busyTimer = setTimeout(clearBusy, BUSY);
  },
  markup(event) {
    const entry = timeline.entries.get(event.message_id);
    if (event.chat_id === state.chat.id && event.markup.force_reply && entry) composer.reply(entry.message);
  },
  answer(event) {
    const over = queries.get(event.query_id);
    if (over) over();
    else answered.add(event.query_id);
    queries.delete(event.query_id);
    if (event.user_id !== state.me.id) return;
    if (event.url) open(event.url, "_blank", "noopener");
    if (event.text) (event.show_alert ? alertBox : toast)(event.text);
  },
  profile: refresh,
};

function happen(event) {
  if (missed) missed.push(event);
  else HANDLERS[event.type](event);
}

function clearBusy() {
  clearTimeout(busyTimer);
  drawStatus();
}

$("#start").addEventListener("click", () => once($("#start"), async () => {
  const where = here();
  if (!await send("/start", null) || where !== here()) return;
  $("#composer").hidden = false;
  $("#text").focus();
}));
$(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the address says who writes, and is not for jumping
  ($("#start").hidden ? $("#text") : $("#start")).focus();
});
$("#more").addEventListener("click", openChatMenu);
$("#back").addEventListener("click", () => $("#app").classList.toggle("people"));
$("#down").addEventListener("click", () => timeline.toEnd());

applyTheme();
listen({
  onEvent: (event) => state.chat && happen(event),
  onOpen: reload,
  onLost: () => { $("#status").textContent = say("lost"); },
});
