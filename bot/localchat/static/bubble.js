// One message as an element.

import { fileAddress } from "./api.js";
import { avatar, bytes, clock, element, icon, keyOf, pictured, summary } from "./dom.js";
import { formatted } from "./text.js";
import { say } from "./texts.js";

const BOX = [360, 380]; // CSS pixels that a picture may fill
const ALBUM_BOX = [230, 230]; // and one of several
const LEAST = 170; // CSS pixels of the narrowest picture
const TINY = 120; // pixels; smaller pictures are enlarged with sharp edges

// `actions`: reply, press, pressOf, waits, command, photo, jump, menu, react; `view`: { me, group, users }.
export function bubble({ message, reactions }, view, actions) {
  const mine = message.from.id === view.me.id;
  const named = view.group && !mine;
  const content = element("div", { class: "bubble" });
  if (named) content.append(sender(message.from));
  if (message.reply_to_message) content.append(quoted(message.reply_to_message, view, actions));
  if (message.photo) content.append(picture(message, actions));
  if (message.document) content.append(file(message.document));
  const words = message.text ?? message.caption;
  if (words) {
    const entities = message.entities ?? message.caption_entities;
    const room = element("span", { class: "room", "aria-hidden": "true" }, stamp(message, mine)); // the stamp covers nothing
    content.append(element("div", { class: "words" }, formatted(words, entities, actions.command), room));
  }
  if (reactions.length) content.append(reactionRow(message, reactions, view, actions));
  content.append(stamp(message, mine));
  content.classList.toggle("pictured", Boolean(message.photo));
  content.classList.toggle("captioned", Boolean(words));
  content.classList.toggle("reacted", reactions.length > 0);

  const body = element("div", { class: "body" }, content);
  const keyboard = message.reply_markup?.inline_keyboard;
  if (keyboard) body.append(buttons(keyboard, message, actions));
  const item = element("li", {
    class: "message",
    tabindex: "-1",
    dataset: { id: message.message_id, sender: message.from.id, date: message.date, album: message.media_group_id ?? "" },
    "aria-label": `${mine ? say("you") : message.from.first_name}, ${clock(message.date)}: ${summary(message)}`,
  });
  if (named) item.append(element("span", { class: "gap" }));
  item.append(body, replyButton(message, actions));
  item.classList.toggle("out", mine);
  item.classList.toggle("named", named);
  item.classList.toggle("keyed", Boolean(keyboard));
  return item;
}

function sender(user) {
  return element("span", { class: "sender", dataset: { who: user.is_bot ? "" : keyOf(user) } }, user.first_name);
}

function quoted(target, view, actions) {
  const name = target.from.id === view.me.id ? say("you") : target.from.first_name;
  const jump = () => actions.jump(target.message_id);
  const small = target.photo ? element("img", { src: fileAddress(target.photo[0].file_id), alt: "" }) : null;
  return element("button", { class: "quoted", type: "button", onclick: jump, "aria-label": say("in_reply_to", { name }) },
    small, element("strong", {}, name), element("span", {}, summary(target)));
}

function picture(message, actions) {
  const sizes = message.photo;
  const largest = sizes.at(-1);
  const [widest, highest] = message.media_group_id ? ALBUM_BOX : BOX;
  const fitting = Math.min(1, widest / largest.width, highest / largest.height);
  const scale = Math.max(fitting, Math.min(LEAST / largest.width, highest / largest.height));
  const [width, height] = [Math.round(largest.width * scale), Math.round(largest.height * scale)];
  const shown = sizes.find((size) => size.width >= width * Math.min(devicePixelRatio, 2)) ?? largest;
  const image = element("img", {
    src: fileAddress(shown.file_id),
    width,
    height,
    alt: message.caption ? say("captioned_photo", { caption: message.caption }) : say("photo"),
    class: largest.width < TINY ? "tiny" : undefined,
  });
  const open = () => actions.photo(fileAddress(largest.file_id), largest.width < TINY);
  return element("button", { class: "picture", type: "button", onclick: open }, image);
}

function file(document) {
  const address = fileAddress(document.file_id);
  const thumb = document.thumbnail
    ? element("img", { class: "thumb", src: fileAddress(document.thumbnail.file_id), alt: "" })
    : element("span", { class: "thumb" }, icon("file"));
  return element("a", { class: "document", href: address, download: document.file_name },
    thumb, element("span", {}, element("strong", {}, document.file_name), element("small", {}, bytes(document.file_size))));
}

function stamp(message, mine) {
  const time = element("time", { datetime: new Date(message.date * 1000).toISOString() }, clock(message.date));
  const edited = message.edit_date ? `${say("edited")} ` : "";
  return element("span", { class: "stamp" }, edited, time, mine ? icon("check") : null);
}

function reactionRow(message, reactions, view, actions) {
  const row = element("div", { class: "reactions" });
  for (const { user_id, emoji } of reactions) {
    const mine = user_id === view.me.id;
    const who = view.users.find((user) => user.id === user_id) ?? view.bot;
    const toggle = () => actions.react(message, mine ? "" : emoji);
    row.append(element("button", { type: "button", "aria-pressed": String(mine), "aria-label": say("reacted", { name: who.first_name, emoji }), onclick: toggle },
      element("span", {}, pictured(emoji)), avatar(who)));
  }
  return row;
}

function buttons(rows, message, actions) {
  const mark = (button) => (button.url ? "↗" : button.web_app ? "▣" : button.copy_text ? "⧉" : undefined);
  const press = (button) => actions.pressOf(message, button);
  return element("div", { class: "keyboard" }, ...rows.map((row) => element("div", {}, ...row.map((button) =>
    element("button", {
      type: "button",
      class: [button.style, actions.waits(press(button)) && "waiting"].filter(Boolean).join(" "),
      dataset: { ...(mark(button) && { mark: mark(button) }), press: press(button) },
      onclick: () => actions.press(message, button),
    }, button.text)))));
}

function replyButton(message, actions) {
  return element("button", { class: "icon act", type: "button", "aria-label": say("reply"), tabindex: "-1", onclick: () => actions.reply(message) }, icon("reply"));
}
