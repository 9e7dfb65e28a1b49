// Where a person writes: text, a reply or an edit, commands offered while typing.

import { $, element, icon, isPlain, summary } from "./dom.js";
import { say } from "./texts.js";

export class Composer {
  // `actions`: send(text, replyTo) and edit(message, text), which give nothing where they fail, later(action), which puts
  // back what was not sent from here once one is here again, editLast(), files(list), openMenu(), attach(anchor)
  constructor(actions) {
    this.actions = actions;
    this.text = $("#text");
    this.context = $("#context");
    this.list = $("#commands");
    this.commands = []; // as setMyCommands gave them for this chat
    this.target = null; // { kind: "reply" | "edit", message }
    $("#composer").addEventListener("submit", (event) => this.#submit(event));
    this.text.addEventListener("input", () => this.#typed());
    this.text.addEventListener("keydown", (event) => this.#key(event));
    $("button", this.context).addEventListener("click", () => this.clear());
    $("#attach").addEventListener("click", (event) => actions.attach(event.currentTarget));
    $("#menu").addEventListener("click", () => actions.openMenu());
    document.addEventListener("paste", (event) => this.#pasted(event));
    document.addEventListener("keydown", (event) => this.#typedElsewhere(event));
    this.#typed();
  }

  reply(message) {
    this.#show(this.text.value, { kind: "reply", message });
    this.text.focus();
  }

  edit(message) {
    this.#show(message.text ?? message.caption ?? "", { kind: "edit", message });
    this.text.focus();
  }

  // Forgets what the next message answers or edits.
  clear() {
    this.#show(this.target?.kind === "edit" ? "" : this.text.value, null);
    this.text.focus();
  }

  // Takes away what is written and chosen here, and shows what was `left` at another place.
  exchange(left = { text: "", target: null }) {
    const here = { text: this.text.value, target: this.target };
    this.#show(left.text, left.target);
    return here;
  }

  offer(commands) {
    if (JSON.stringify(commands) === JSON.stringify(this.commands)) return;
    this.commands = commands;
    this.#typed();
  }

  get replyTo() {
    return this.target?.kind === "reply" ? this.target.message.message_id : null;
  }

  toggleCommands() {
    if (this.list.hidden) this.#offer(this.commands);
    else this.list.hidden = true;
    this.text.focus();
  }

  #show(text, target) {
    this.text.value = text;
    this.target = target;
    this.context.hidden = !target;
    if (target) {
      const { kind, message } = target;
      $("svg", this.context).replaceWith(icon(kind));
      $("strong", this.context).textContent = kind === "edit" ? say("edit_message") : say("reply_to", { name: message.from.first_name });
      $("span", this.context).textContent = summary(message);
    }
    this.#typed();
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.text.value.trim();
    const editsCaption = this.target?.kind === "edit" && !this.target.message.text;
    if (text || editsCaption) await this.#send(text);
  }

  async #send(text) {
    const { target } = this;
    const sent = target?.kind === "edit" ? this.actions.edit(target.message, text) : this.actions.send(text, this.replyTo);
    const later = this.actions.later(() => this.putBack(text, target));
    this.text.value = "";
    this.clear();
    if (!await sent) later();
  }

  // What could not be sent stays written, and what it answers or edits chosen, unless something else is by now.
  putBack(text, target) {
    if (this.target || (text && this.text.value)) return;
    this.#show(text || this.text.value, target);
  }

  #typed() {
    this.text.style.height = "auto";
    if (this.text.scrollHeight) this.text.style.height = `${this.text.scrollHeight}px`; // 0 while hidden
    $("#send").disabled = !this.text.value.trim() && this.target?.kind !== "edit";
    const word = /^\/(\w*)$/.exec(this.text.value);
    this.#offer(word ? this.commands.filter(({ command }) => command.startsWith(word[1].toLowerCase())) : []);
  }

  #offer(commands) {
    this.list.hidden = commands.length === 0;
    this.text.removeAttribute("aria-activedescendant");
    this.list.replaceChildren(...commands.map(({ command, description }) =>
      element("button", { type: "button", role: "option", id: `command-${command}`, "aria-selected": "false", tabindex: "-1", onclick: () => this.#choose(command) },
        element("strong", {}, `/${command}`), element("span", {}, description))));
  }

  #choose(command) {
    if (this.target?.kind === "edit") this.target = null;
    this.#send(`/${command}`);
  }

  #key(event) {
    const offered = !this.list.hidden;
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      const chosen = $('[aria-selected="true"]', this.list);
      if (offered && chosen) chosen.click();
      else $("#composer").requestSubmit();
    } else if (event.key === "Escape") {
      if (offered) this.list.hidden = true;
      else this.clear();
    } else if (offered && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      this.#select(event.key === "ArrowDown" ? 1 : -1);
    } else if (offered && event.key === "Tab" && this.list.firstChild) {
      event.preventDefault();
      const chosen = $('[aria-selected="true"]', this.list) ?? this.list.firstChild;
      this.text.value = `${$("strong", chosen).textContent} `;
      this.#typed();
    } else if (event.key === "ArrowUp" && !this.text.value) {
      event.preventDefault();
      this.actions.editLast();
    }
  }

  #select(step) {
    const options = [...this.list.children];
    const current = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = (current + step + options.length + (current < 0 && step < 0 ? 1 : 0)) % options.length;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === next)));
    options[next].scrollIntoView({ block: "nearest" });
    this.text.setAttribute("aria-activedescendant", options[next].id);
  }

  // Letters typed while no field has the focus belong to the message; "r" on a message answers it.
  #typedElsewhere(event) {
    const isLetter = event.key.length === 1 && event.key !== " " && isPlain(event);
    const isTaken = event.defaultPrevented || event.target.closest("input, textarea, dialog, #popup");
    if (isLetter && !isTaken && !this.text.closest("[hidden]")) this.text.focus();
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || $("dialog[open]")) return;
    event.preventDefault();
    this.actions.files(files);
  }
}
