// The draw page: a drawing goes to the server with every stroke, the answer to the bars and the network.

import { Api } from "./api.js";
import { Board } from "./board.js";
import { Classic } from "./classic.js";
import { Live } from "./live.js";
import { MiniApp } from "./mini_app.js";
import { NetworkDrawing } from "./network.js";
import { showNeuron } from "./neuron.js";
import { say } from "./texts.js";

const $ = (id) => document.getElementById(id);
const miniApp = new MiniApp(location.hash);
const api = new Api(miniApp.initData);
const board = new Board($("board"));
const drawing = new NetworkDrawing($("network"));
const live = new Live(read, show);

let classic = null;
let answer = null; // the last reading, or null for an empty board
let selected = 0; // the glyph whose way through the network is shown

const RETRY = 2000; // milliseconds until a drawing is read again that could not be

board.addEventListener("change", () => {
  $("board").classList.toggle("drawn", !board.empty);
  $("undo").disabled = !board.canUndo;
  $("clear").disabled = $("send").disabled = board.empty;
  document.body.dataset.state = "reading";
  live.changed();
});
board.addEventListener("stroke", () => live.finished());
$("undo").addEventListener("click", () => board.undo());
$("clear").addEventListener("click", () => board.clear());
$("send").addEventListener("click", send);
$("notice").addEventListener("submit", useKey);
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "z" && event.target !== $("key")) {
    event.preventDefault();
    board.undo();
  }
});
for (const input of document.querySelectorAll("[name=network]")) input.addEventListener("change", render);
drawing.addEventListener("choose", renderNeuron);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", render);

buildBars();
$("send").hidden = !miniApp.opened;
document.body.classList.toggle("mini-app", miniApp.opened); // which has a title of its own
miniApp.start().then(() => board.paint());
render();
await loadNetwork();
document.body.dataset.state = "ready";

async function loadNetwork() {
  try {
    classic = new Classic((await api.network()).layers);
    drawing.classic = classic;
    $("notice").hidden = true;
    render();
  } catch (error) {
    explain(error);
  }
}

async function read() {
  if (board.empty) return null;
  try {
    return await api.read(board.livePng());
  } catch (error) {
    explain(error);
    if (!(error.status < 500)) setTimeout(() => board.empty || live.changed(), RETRY); // the server may come back
    return null;
  }
}

function show(reading, milliseconds) {
  if (!live.pending) document.body.dataset.state = "ready";
  $("notice").hidden ||= reading !== null || (board.empty && classic !== null); // what was wrong is right again
  if (reading && !classic) loadNetwork();
  answer = board.empty ? null : reading;
  selected = Math.min(selected, Math.max(0, (answer?.glyphs.length ?? 1) - 1));
  document.body.dataset.milliseconds = Math.round(milliseconds);
  if (!live.pending && $("status").textContent !== spoken()) $("status").textContent = spoken();
  render();
}

function render() {
  renderAnswer();
  renderGlyphs();
  renderBars();
  const isClassic = network() === "classic";
  $("inside").hidden = !isClassic;
  const glyph = answer?.glyphs[selected];
  drawing.show(
    glyph && classic
      ? { pixels: glyph.pixels, activations: glyph.classic, forward: classic.forward(glyph.pixels) }
      : null,
  );
  renderNeuron();
}

function network() {
  return document.querySelector("[name=network]:checked").value;
}

function renderAnswer() {
  const digits = answer && !answer.abstained ? answer.digits : "?";
  $("digits").textContent = digits;
  $("digits").classList.toggle("many", digits.length > 2);
  $("digits").classList.toggle("unsure", !answer || answer.abstained || answer.confidence < 0.6);
  $("verdict").textContent = verdict();
  $("comparison").textContent = comparison();
}

function verdict() {
  if (!answer) return say(board.empty ? "nothing_drawn" : "not_read");
  if (answer.abstained) return say(answer.reason);
  return say("sure", { percent: percent(answer.confidence) });
}

// What a screen reader says.
function spoken() {
  return answer && !answer.abstained ? `${answer.digits}, ${verdict()}` : verdict();
}

function comparison() {
  if (!answer?.glyphs.length) return say("live");
  const digits = answer.glyphs.map((glyph) => glyph.classic.predicted_digit).join("");
  const read = answer.digits.replaceAll("\n", "");
  if (answer.abstained) return say("classic_would_say", { digits });
  return digits === read ? say("classic_agrees") : say("classic_says", { digits });
}

function renderGlyphs() {
  const glyphs = answer?.glyphs ?? [];
  const box = $("glyphs");
  const wanted = Math.max(1, glyphs.length);
  while (box.children.length > wanted) box.lastChild.remove();
  while (box.children.length < wanted) box.append(glyphButton(box.children.length));
  box.classList.toggle("several", glyphs.length > 1);
  [...box.children].forEach((button, index) => {
    const glyph = glyphs[index];
    button.setAttribute("aria-pressed", glyphs.length > 1 && index === selected);
    button.setAttribute("aria-label", glyph ? say("glyph", { number: index + 1, digit: glyph.digit }) : say("no_glyph"));
    paintGlyph(button.firstChild, glyph?.pixels);
  });
}

function glyphButton(index) {
  const button = document.createElement("button");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  button.append(canvas);
  button.addEventListener("click", () => {
    selected = index;
    render();
  });
  return button;
}

function paintGlyph(canvas, pixels) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  for (let i = 0; i < 784; i++) image.data.set([0, 0, 0, 255].fill(pixels?.[i] ?? 0, 0, 3), 4 * i);
  context.putImageData(image, 0, 0);
}

function buildBars() {
  for (let digit = 0; digit < 10; digit++) {
    const bar = document.createElement("li");
    bar.innerHTML = `<b>${digit}</b><i aria-hidden="true"></i><em>–</em>`;
    $("bars").append(bar);
  }
}

function renderBars() {
  const glyph = answer?.glyphs[selected];
  const isClassic = network() === "classic";
  const values = glyph ? (isClassic ? glyph.classic.o : glyph.probabilities) : null;
  const best = values ? values.indexOf(Math.max(...values)) : -1;
  [...$("bars").children].forEach((bar, digit) => {
    const value = values?.[digit] ?? 0;
    bar.dataset.value = value;
    bar.classList.toggle("best", digit === best);
    bar.children[1].style.setProperty("--value", value);
    bar.children[2].textContent = values ? (isClassic ? value.toFixed(3) : percent(value)) : "–";
  });
  $("bars-label").textContent = say(isClassic ? "classic_bars" : "reader_bars");
}

// The neuron that was chosen, or the strongest output.
function renderNeuron() {
  const panel = $("neuron");
  const glyph = answer?.glyphs[selected];
  if (!glyph || !classic) {
    panel.innerHTML = `<h3>${say("neuron")}</h3><p class="fine">${say("neuron_help")}</p>`;
    return;
  }
  const chosen = drawing.chosen ?? { layer: 2, neuron: glyph.classic.predicted_digit };
  showNeuron(panel, classic, chosen, classic.forward(glyph.pixels));
}

async function send() {
  $("send").disabled = true;
  try {
    await api.send(board.fullPng());
    $("status").textContent = say("sent");
    $("send").textContent = `${say("sent")} ✓`;
    miniApp.close();
  } catch (error) {
    $("send").disabled = false;
    explain(error);
  }
}

function explain(error) {
  const strange = error.status === 401;
  $("notice").hidden = false;
  $("key-field").hidden = !strange || miniApp.opened;
  if (strange && miniApp.opened) $("notice-text").textContent = say("open_too_long");
  else if (strange) $("notice-text").textContent = say(error.hadKey ? "key_refused" : "key_wanted");
  else $("notice-text").textContent = say("failed", { message: error.message });
}

function useKey(event) {
  event.preventDefault();
  if (api.useKey($("key").value.trim())) loadNetwork().then(() => live.changed());
  else $("notice-text").textContent = say("key_refused");
}

// As the bot's replies say it; never a certain 100 %.
function percent(value) {
  return value >= 0.995 ? "> 99 %" : value < 0.005 ? "< 1 %" : `${Math.round(100 * value)} %`;
}
