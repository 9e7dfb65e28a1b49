// The drawing board: strokes of finger, pen, mouse or keyboard, painted on a canvas and exported as a PNG.

const WIDTH = 0.07; // of a stroke without pressure, as part of the board's side
const MARGIN = 0.12; // of white paper around the exported board: no ink touches the photo's edge
const LIVE_SIDE = 200; // pixels of a picture for a live reading: small is fast
const FULL_SIDE = 560; // of one to keep
const STEP = 0.035; // of the keyboard's pen

// Fires "change" with every bit of ink, "stroke" where a stroke has ended or was taken back.
export class Board extends EventTarget {
  #canvas;
  #export = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  #strokes = []; // each a list of points {x, y, width}, in parts of the side
  #undone = null; // the strokes before the last clear
  #current = null;
  #pointer = null;
  #keyboardPen = { x: 0.5, y: 0.3, shown: false };

  constructor(canvas) {
    super();
    this.#canvas = canvas;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#hidePen());
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  get empty() {
    return this.#strokes.length === 0;
  }

  get canUndo() {
    return !this.empty || this.#undone !== null;
  }

  // Either lifts the pen, for a stroke under way may be what is taken back.
  undo() {
    this.#pointer = this.#current = null;
    if (this.#undone) [this.#strokes, this.#undone] = [this.#undone, null];
    else this.#strokes.pop();
    this.#changed();
    this.dispatchEvent(new Event("stroke"));
  }

  clear() {
    if (this.empty) return;
    this.#pointer = this.#current = null;
    [this.#undone, this.#strokes] = [this.#strokes, []];
    this.#changed();
    this.dispatchEvent(new Event("stroke"));
  }

  // A small PNG of the drawing, for a reading while it is made.
  livePng() {
    return this.#png(LIVE_SIDE);
  }

  // A PNG of the drawing, to send.
  fullPng() {
    return this.#png(FULL_SIDE);
  }

  // Black ink on white paper, whatever the page's colours. Not by toBlob, which waits until the browser is idle.
  #png(side) {
    const context = this.#export;
    context.canvas.width = context.canvas.height = side; // which clears it as well
    context.fillStyle = "white";
    context.fillRect(0, 0, side, side);
    context.translate(side * MARGIN, side * MARGIN);
    paintStrokes(context, this.#strokes, side * (1 - 2 * MARGIN), "black");
    const [, base64] = context.canvas.toDataURL("image/png").split(",");
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  }

  paint() {
    const context = this.#canvas.getContext("2d");
    const side = this.#canvas.width;
    const ink = getComputedStyle(this.#canvas).color;
    context.clearRect(0, 0, side, side);
    paintStrokes(context, this.#strokes, side, ink);
    if (this.#keyboardPen.shown) paintPen(context, this.#keyboardPen, side, ink, this.#current !== null);
  }

  #resize() {
    const side = Math.round(this.#canvas.clientWidth * devicePixelRatio);
    if (side && side !== this.#canvas.width) this.#canvas.width = this.#canvas.height = side;
    this.paint();
  }

  #down(event) {
    if (this.#pointer !== null || event.button > 0) return; // a palm, or another button
    this.#keyboardPen.shown = false;
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#begin(this.#point(event));
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.#current.push(this.#point(each));
    this.#changed();
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = this.#current = null;
    this.dispatchEvent(new Event("stroke"));
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const pressed = event.pointerType === "pen" && event.pressure > 0; // a mouse says 0.5, a finger 0.5 or 1
    return {
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
      width: WIDTH * (pressed ? 0.5 + event.pressure : 1),
    };
  }

  #key(event) {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in moves) this.#movePen(...moves[event.key], event.shiftKey ? STEP / 4 : STEP);
    else if (event.key === " ") this.#togglePen();
    else if (event.key === "Delete" || event.key === "Backspace") this.clear();
    else return;
    event.preventDefault();
  }

  #movePen(dx, dy, step) {
    const pen = this.#keyboardPen;
    pen.x = Math.min(1, Math.max(0, pen.x + dx * step));
    pen.y = Math.min(1, Math.max(0, pen.y + dy * step));
    pen.shown = true;
    if (!this.#current) return this.paint();
    this.#current.push({ x: pen.x, y: pen.y, width: WIDTH });
    this.#changed();
  }

  #togglePen() {
    this.#keyboardPen.shown = true;
    if (this.#pointer !== null) return;
    if (this.#current) {
      this.#current = null;
      this.dispatchEvent(new Event("stroke"));
      this.paint();
    } else this.#begin({ x: this.#keyboardPen.x, y: this.#keyboardPen.y, width: WIDTH });
  }

  #hidePen() {
    this.#keyboardPen.shown = false;
    if (this.#pointer === null) this.#current = null;
    this.paint();
  }

  #begin(point) {
    this.#current = [point];
    this.#strokes.push(this.#current);
    this.#undone = null;
    this.#changed();
  }

  #changed() {
    this.paint();
    this.dispatchEvent(new Event("change"));
  }
}

// Curves through the middles between points, each as wide as the pressure there.
function paintStrokes(context, strokes, side, colour) {
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = colour;
  for (const points of strokes) {
    let from = points[0];
    segment(context, points[0].width * side, side, points[0], points[0], points[0]);
    for (let i = 1; i < points.length; i++) {
      const last = i === points.length - 1;
      const to = last ? points[i] : middle(points[i], points[i + 1]);
      segment(context, points[i].width * side, side, from, points[i], to);
      from = to;
    }
  }
}

function segment(context, width, side, from, bend, to) {
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(from.x * side, from.y * side);
  context.quadraticCurveTo(bend.x * side, bend.y * side, to.x * side, to.y * side);
  context.stroke();
}

function middle(a, b) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function paintPen(context, pen, side, colour, isDown) {
  context.lineWidth = Math.max(1.5, side / 250);
  context.strokeStyle = colour;
  context.beginPath();
  context.arc(pen.x * side, pen.y * side, side * (isDown ? 0.02 : 0.035), 0, 2 * Math.PI);
  context.stroke();
}
