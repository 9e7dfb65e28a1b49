// One neuron in detail: its weights as a picture, what reaches it, and its sum and sigmoid as mathematics.

import { say } from "./texts.js";

// Fills `panel` with neuron {layer, neuron} of the classic network; forward: inputs, sums and activations.
export function showNeuron(panel, classic, { layer, neuron }, forward) {
  const { inputs, sums, activations } = forward[layer];
  const weights = classic.layers[layer].weight.map((row) => row[neuron]);
  const bias = classic.layers[layer].bias[neuron];
  panel.innerHTML = `
    <h3>${say(`neuron_${layer}`, { number: layer === 2 ? neuron : neuron + 1 })}</h3>
    ${layer === 0 ? "" : incoming(weights, inputs, layer)}
    <div class="pictures">
      <figure><canvas class="weights" width="28" height="28" role="img" aria-label="${say("weights_spoken")}"></canvas>
        <figcaption>${say(layer === 0 ? "own_weights" : "multiplied_weights")}</figcaption></figure>
      <figure><canvas class="shares" width="28" height="28" role="img" aria-label="${say("shares_spoken")}"></canvas>
        <figcaption>${say("shares")}</figcaption></figure>
    </div>
    ${sumOf(sums[neuron] - bias, bias, sums[neuron], layer)}
    ${sigmoidOf(sums[neuron], activations[neuron])}
    ${curve(sums[neuron], activations[neuron])}`;
  panel.dataset.sum = sums[neuron];
  panel.dataset.activation = activations[neuron];
  for (const bar of panel.querySelectorAll(".inputs i")) {
    bar.style.height = `${bar.dataset.height}%`;
  }
  const picture = classic.picture(layer, neuron);
  paint(panel.querySelector(".weights"), picture);
  paint(panel.querySelector(".shares"), picture.map((weight, i) => weight * forward[0].inputs[i]));
}

function incoming(weights, inputs, layer) {
  const shares = weights.map((weight, i) => weight * inputs[i]);
  const most = Math.max(...shares.map(Math.abs)) || 1;
  const bars = shares.map((share, i) => {
    const title = say("contribution", { number: i + 1, weight: number(weights[i]), input: number(inputs[i]), share: number(share) });
    return `<li title="${title}"><i class="${share > 0 ? "plus" : "minus"}" data-height="${(48 * Math.abs(share)) / most}"></i></li>`;
  });
  return `<ul class="inputs" role="img" aria-label="${say("contributions_spoken")}">${bars.join("")}</ul>
    <p class="fine">${say(`contributions_${layer - 1}`)}</p>`;
}

// z = Σ w x + b = sum + bias = z
function sumOf(sum, bias, z, layer) {
  const index = layer === 0 ? "<mn>784</mn>" : "<mn>16</mn>";
  const input = layer === 0 ? "x" : "a";
  const sign = bias < 0 ? "−" : "+";
  return `<p><math displaystyle="true" aria-label="${say("sum_spoken", { z: number(z) })}"><mi>z</mi><mo>=</mo>
    <munderover><mo largeop="true">∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow>${index}</munderover>
    <msub><mi>w</mi><mi>i</mi></msub><msub><mi>${input}</mi><mi>i</mi></msub><mo>+</mo><mi>b</mi></math></p>
    <p><math displaystyle="true"><mphantom><mi>z</mi></mphantom><mo>=</mo><mn>${number(sum)}</mn><mo>${sign}</mo><mn>${number(Math.abs(bias))}</mn>
    <mo>=</mo><mn>${number(z)}</mn></math></p>`;
}

// a = σ(z) = 1 / (1 + e^-z) = activation
function sigmoidOf(z, activation) {
  return `<p><math displaystyle="true" aria-label="${say("sigmoid_spoken", { activation: activation.toFixed(4) })}"><mi>σ</mi><mo stretchy="false">(</mo><mi>z</mi><mo stretchy="false">)</mo><mo>=</mo>
    <mfrac><mn>1</mn><mrow><mn>1</mn><mo>+</mo><msup><mi>e</mi><mrow><mo>−</mo><mi>z</mi></mrow></msup></mrow></mfrac>
    <mo>=</mo><mn>${activation.toFixed(4)}</mn></math></p>`;
}

// The sigmoid from -8 to 8, and where this neuron stands on it.
function curve(z, activation) {
  const x = (value) => 140 + 17 * value;
  const y = (value) => 76 - 68 * value;
  const points = Array.from({ length: 65 }, (_, i) => (i - 32) / 4);
  const path = points.map((value) => `${x(value)},${y(1 / (1 + Math.exp(-value))).toFixed(1)}`).join("L");
  return `<svg class="curve" viewBox="0 0 280 84" role="img" aria-label="${say("curve_spoken")}">
    <line class="axis" x1="4" x2="276" y1="${y(0)}" y2="${y(0)}"/><line class="axis" x1="140" x2="140" y1="4" y2="${y(0)}"/>
    <path d="M${path}"/><circle cx="${x(Math.min(8, Math.max(-8, z)))}" cy="${y(activation)}" r="5"/></svg>`;
}

// Numbers as colours: blue above 0, orange below, the strongest one full.
function paint(canvas, numbers) {
  const style = getComputedStyle(canvas);
  const [ground, plus, minus] = ["--unlit", "--positive", "--negative"].map((name) => rgb(style.getPropertyValue(name)));
  const most = Math.max(...numbers.map(Math.abs)) || 1;
  const context = canvas.getContext("2d");
  const image = context.createImageData(28, 28);
  numbers.forEach((value, i) => {
    const share = Math.min(1, Math.abs(value) / most) ** 0.7;
    const colour = value > 0 ? plus : minus;
    image.data.set([...ground.map((channel, c) => channel + (colour[c] - channel) * share), 255], 4 * i);
  });
  context.putImageData(image, 0, 0);
}

function rgb(hex) {
  return hex.trim().match(/[\da-f]{2}/gi).map((part) => parseInt(part, 16));
}

function number(value) {
  return value.toFixed(Math.abs(value) < 10 ? 3 : 2).replace("-", "−");
}
