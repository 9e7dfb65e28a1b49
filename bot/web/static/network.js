// Draws the classic network: the picture, three columns of neurons lit by their activations, the strongest connections.

import { say } from "./texts.js";

const SVG = "http://www.w3.org/2000/svg";
const SIZES = [16, 16, 10];
const COUNTS = [180, 80, 60]; // of connections shown into each layer
const COUNT_OF_ONE = 160; // of those into one chosen neuron

// Fires "choose" with detail {layer, neuron}, or null when none is chosen.
export class NetworkDrawing extends EventTarget {
  #svg;
  #classic = null;
  #state = null; // {pixels, activations, forward}
  #pinned = null;
  #hovered = null;
  #place = null;

  constructor(svg) {
    super();
    this.#svg = svg;
    svg.addEventListener("pointerover", (event) => event.pointerType === "mouse" && this.#hover(cellOf(event)));
    svg.addEventListener("pointerleave", () => this.#hover(null));
    svg.addEventListener("click", (event) => this.#pin(cellOf(event)));
    svg.addEventListener("focusin", (event) => this.#hover(cellOf(event)));
    svg.addEventListener("focusout", () => this.#hover(null));
    svg.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#build()).observe(svg);
  }

  set classic(classic) {
    this.#classic = classic;
    this.#build();
  }

  get chosen() {
    return this.#hovered ?? this.#pinned;
  }

  // pixels: 784 numbers 0..255; activations: {h1, h2, o} of the API; forward: sums and inputs. Null clears.
  show(state) {
    this.#state = state;
    this.#paint();
  }

  #hover(cell) {
    this.#hovered = cell;
    this.#chosen();
  }

  #pin(cell) {
    this.#pinned = same(cell, this.#pinned) ? null : cell;
    this.#hovered = this.#pinned;
    this.#chosen();
  }

  #chosen() {
    this.#paint();
    this.dispatchEvent(new CustomEvent("choose", { detail: this.chosen }));
  }

  #key(event) {
    const at = cellOf(event);
    if (!at) return;
    const to = { ...at };
    if (event.key === "ArrowUp") to.neuron -= 1;
    else if (event.key === "ArrowDown") to.neuron += 1;
    else if (event.key === "ArrowLeft") to.layer -= 1;
    else if (event.key === "ArrowRight") to.layer += 1;
    else if (event.key === "Enter" || event.key === " ") this.#pin(at);
    else return;
    event.preventDefault();
    if (same(at, to) || !SIZES[to.layer]) return;
    to.neuron = Math.min(Math.max(to.neuron, 0), SIZES[to.layer] - 1);
    this.#cell(at).setAttribute("tabindex", -1);
    this.#cell(to).setAttribute("tabindex", 0);
    this.#cell(to).focus();
  }

  #cell({ layer, neuron }) {
    return this.#svg.querySelector(`[data-layer="${layer}"][data-neuron="${neuron}"]`);
  }

  #build() {
    const { clientWidth: width, clientHeight: height } = this.#svg;
    if (!width) return;
    this.#place = placement(width, height);
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(...this.#frame(), element("g", { class: "lines" }), ...this.#cells());
    this.#paint();
  }

  #frame() {
    const { picture, columns } = this.#place;
    const name = columns[1] - columns[0] < 80 ? "short_layer" : "layer";
    const titles = columns.map((x, layer) => element("text", { class: "title", x, y: 14 }, say(`${name}_${layer}`)));
    titles.push(element("text", { class: "title", x: picture.x + picture.side / 2, y: picture.y - 10 }, say("pixels")));
    const box = { x: picture.x, y: picture.y, width: picture.side, height: picture.side };
    return [...titles, element("image", { ...box, preserveAspectRatio: "none" }), element("rect", { ...box, class: "frame" })];
  }

  #cells() {
    const { radius, pitch } = this.#place;
    return SIZES.flatMap((size, layer) =>
      Array.from({ length: size }, (_, neuron) => {
        const { x, y } = this.#at(layer, neuron);
        const reach = pitch[layer] / 2;
        const cell = element("g", {
          class: "cell", role: "button", tabindex: layer === 0 && neuron === 0 ? 0 : -1,
          "data-layer": layer, "data-neuron": neuron,
        });
        cell.append(
          element("rect", { class: "hit", x: x - Math.max(reach, 16), y: y - reach, width: Math.max(reach, 16) * 2, height: reach * 2 }),
          element("circle", { class: "body", cx: x, cy: y, r: radius }),
          element("circle", { class: "light", cx: x, cy: y, r: radius - 1.5, opacity: 0 }),
        );
        if (layer === 2) {
          cell.append(element("text", { class: "digit", x: x + radius + 6, y }, neuron));
          cell.append(element("text", { class: "value", x: x + radius + 19, y: y + 1 }, ""));
        }
        return cell;
      }),
    );
  }

  #at(layer, neuron) {
    return { x: this.#place.columns[layer], y: this.#place.top + (neuron + 0.5) * this.#place.pitch[layer] };
  }

  #paint() {
    if (!this.#place) return;
    const state = this.#state;
    this.#svg.querySelector("image").setAttribute("href", pictureUrl(state?.pixels));
    const best = state ? state.activations.o.indexOf(Math.max(...state.activations.o)) : -1;
    for (const cell of this.#svg.querySelectorAll(".cell")) this.#light(cell, best);
    this.#svg.querySelector(".lines").replaceChildren(...this.#lines());
  }

  #light(cell, best) {
    const [layer, neuron] = [Number(cell.dataset.layer), Number(cell.dataset.neuron)];
    const activation = this.#state ? [this.#state.activations.h1, this.#state.activations.h2, this.#state.activations.o][layer][neuron] : 0;
    cell.dataset.activation = activation;
    cell.querySelector(".light").setAttribute("opacity", activation);
    cell.setAttribute("aria-pressed", same({ layer, neuron }, this.#pinned));
    const values = { layer: say(`layer_${layer}`), number: layer === 2 ? neuron : neuron + 1, activation: activation.toFixed(2) };
    cell.setAttribute("aria-label", say(layer === 2 ? "output_spoken" : "hidden_spoken", values));
    cell.classList.toggle("best", layer === 2 && neuron === best);
    if (layer === 2) cell.querySelector(".value").textContent = this.#state ? activation.toFixed(2) : "";
  }

  #lines() {
    if (!this.#state || !this.#classic) return [];
    const chosen = this.chosen;
    return SIZES.flatMap((_, layer) => {
      const { inputs } = this.#state.forward[layer];
      const own = chosen?.layer === layer;
      const shown = this.#classic.connections(layer, inputs, own ? COUNT_OF_ONE : COUNTS[layer], own ? chosen.neuron : null);
      const most = Math.abs(shown[0]?.value ?? 1);
      const faded = chosen && !own ? 0.25 : 1;
      return shown.reverse().map((each) => this.#line(layer, each, Math.abs(each.value) / most, faded));
    });
  }

  #line(layer, { from, to, value }, strength, faded) {
    const start = layer === 0 ? this.#pixel(from) : this.#at(layer - 1, from);
    const end = this.#at(layer, to);
    return element("line", {
      class: value > 0 ? "plus" : "minus", x1: start.x, y1: start.y, x2: end.x, y2: end.y,
      "stroke-width": (0.3 + (layer === 0 ? 1.9 : 3.7) * strength).toFixed(2), opacity: (faded * (0.04 + 0.86 * strength ** 1.4)).toFixed(3),
      "data-layer": layer, "data-from": from, "data-to": to, "data-value": value,
    });
  }

  #pixel(index) {
    const { x, y, side } = this.#place.picture;
    return { x: x + ((index % 28) + 0.5) * (side / 28), y: y + (Math.floor(index / 28) + 0.5) * (side / 28) };
  }
}

// Where everything goes in a drawing of this size: the picture left, three columns right of it.
function placement(width, height) {
  const top = 26;
  const side = Math.min(width * (width < 480 ? 0.36 : 0.42), height - 60, 340);
  const left = side + 8;
  const right = width - 62;
  const columns = [left + (right - left) * 0.3, left + (right - left) * 0.66, right];
  const pitch = SIZES.map((size) => (height - top) / size);
  return { top, columns, pitch, radius: Math.min(11, pitch[0] * 0.36), picture: { x: 1, y: top + (height - top - side) / 2, side } };
}

// A data URL of the 28 × 28 picture, ink bright.
function pictureUrl(pixels) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 28;
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  for (let i = 0; i < 784; i++) image.data.set([0, 0, 0, 255].fill(pixels?.[i] ?? 0, 0, 3), 4 * i);
  context.putImageData(image, 0, 0);
  return canvas.toDataURL();
}

function element(name, attributes, text) {
  const result = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) result.setAttribute(key, value);
  if (text !== undefined) result.textContent = text;
  return result;
}

function cellOf(event) {
  const cell = event.target.closest?.(".cell");
  return cell ? { layer: Number(cell.dataset.layer), neuron: Number(cell.dataset.neuron) } : null;
}

function same(a, b) {
  return a !== null && b !== null && a.layer === b.layer && a.neuron === b.neuron;
}
