// Photos and files on their way: chosen, dropped or pasted, looked at, captioned, sent.

import { sampleAddress } from "./api.js";
import { $, bytes, element, icon, once } from "./dom.js";
import { openDialog, toast } from "./notices.js";
import { say } from "./texts.js";

const READABLE = /^image\/(jpeg|png|webp|bmp|gif)$/;
const SAMPLES = 12;
const MOST = 10; // files of one album

export class Outbox {
  // `actions`: isReady(), whether there is a chat to send to; send(kind, files, caption), kind "photos" or "documents"; and
  // sample(seed, index), which promises files, or nothing where that fails
  constructor(actions) {
    this.actions = actions;
    this.dialog = $("#outbox");
    this.files = [];
    this.input = $("#files");
    this.input.addEventListener("change", () => {
      this.review([...this.input.files], this.input.dataset.kind);
      this.input.value = "";
    });
    this.dialog.addEventListener("close", () => this.#closed());
    $("header button", this.dialog).addEventListener("click", () => this.dialog.close("cancel"));
    this.#dropping();
    $("#samples .plain").addEventListener("click", () => this.#fillSamples(Math.floor(Math.random() * 2 ** 31)));
  }

  choose(kind) {
    this.input.dataset.kind = kind;
    this.input.accept = kind === "photos" ? "image/jpeg,image/png,image/webp,image/bmp,image/gif" : "";
    this.input.click();
  }

  // Shows the files before they go; those that are no picture can go only as they are.
  review(files, kind = "photos") {
    if (!files.length || !this.actions.isReady()) return;
    if (files.length > MOST) toast(say("too_many_files", { count: MOST }));
    this.files = files.slice(0, MOST);
    const pictures = this.files.every((file) => READABLE.test(file.type));
    const count = this.files.length;
    const noun = pictures ? "photo" : "file";
    $("#outbox-title").textContent = count === 1 ? say(`send_${noun}`) : say(`send_${noun}s`, { count });
    $("#as-photo").checked = pictures && kind === "photos";
    $("#as-photo").closest("label").hidden = !pictures;
    $("#caption").value = "";
    $(".previews", this.dialog).replaceChildren(...this.files.map(preview));
    this.dialog.returnValue = "";
    openDialog(this.dialog);
    $("#caption").focus();
  }

  // Shows once more what could not be sent, unless something else is shown by now.
  again(kind, files, caption) {
    if ($("dialog[open]")) return;
    this.review(files, kind);
    $("#caption").value = caption;
  }

  // Some samples as buttons that send them.
  sampleButtons(seed, count) {
    return Array.from({ length: count }, (_, index) =>
      element("button", { type: "button", "aria-label": say("send_sample", { number: index + 1 }), onclick: (event) => once(event.currentTarget, () => this.#pick(seed, index)) },
        element("img", { src: sampleAddress(seed, index), alt: "", loading: "lazy" })));
  }

  openSamples() {
    if (!$("#samples .grid").firstChild) this.#fillSamples(1);
    openDialog($("#samples"));
  }

  #fillSamples(seed) {
    $("#samples .grid").replaceChildren(...this.sampleButtons(seed, SAMPLES));
  }

  async #pick(seed, index) {
    $("#samples").close();
    await this.actions.send("photos", this.actions.sample(seed, index), "");
  }

  #closed() {
    for (const image of this.dialog.querySelectorAll(".previews img")) URL.revokeObjectURL(image.src);
    if (this.dialog.returnValue === "send") {
      const asPhoto = $("#as-photo").checked && !$("#as-photo").closest("label").hidden;
      this.actions.send(asPhoto ? "photos" : "documents", this.files, $("#caption").value.trim());
    }
    this.files = [];
  }

  #dropping() {
    const chat = $("#chat");
    const zone = $("#dropzone");
    const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
    chat.addEventListener("dragenter", (event) => { if (carriesFiles(event)) zone.hidden = false; });
    chat.addEventListener("dragleave", (event) => { if (!chat.contains(event.relatedTarget)) zone.hidden = true; });
    chat.addEventListener("dragover", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      for (const half of zone.children) half.classList.toggle("over", half === event.target);
    });
    chat.addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      zone.hidden = true;
      this.review([...event.dataTransfer.files], event.target.dataset?.kind);
    });
  }
}

function preview(file) {
  if (READABLE.test(file.type)) return element("img", { src: URL.createObjectURL(file), alt: file.name });
  return element("div", { class: "document" }, element("span", { class: "thumb" }, icon("file")),
    element("span", {}, element("strong", {}, file.name), element("small", {}, bytes(file.size))));
}
