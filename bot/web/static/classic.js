// The classic network as mathematics: what each neuron sums, and what each connection contributes.

const sigmoid = (z) => 1 / (1 + Math.exp(-z));

export class Classic {
  // layers: [{name, weight: [inputs][neurons], bias: [neurons]}], as the API tells them.
  constructor(layers) {
    this.layers = layers;
  }

  // Pixels 0..255 -> for each layer {inputs, sums, activations}; sum = Σ weight · input + bias, activation = σ(sum).
  forward(pixels) {
    let inputs = pixels.map((value) => value / 255);
    return this.layers.map(({ weight, bias }) => {
      const sums = bias.map((start, j) => inputs.reduce((sum, x, i) => sum + weight[i][j] * x, start));
      const layer = { inputs, sums, activations: sums.map(sigmoid) };
      inputs = layer.activations;
      return layer;
    });
  }

  // The strongest connections into a layer, or into one neuron of it: {from, to, value = weight · input}, by strength.
  connections(layer, inputs, count, neuron = null) {
    const { weight, bias } = this.layers[layer];
    const neurons = neuron === null ? bias.keys() : [neuron];
    const all = [];
    for (const to of neurons)
      inputs.forEach((x, from) => {
        if (x > 0) all.push({ from, to, value: weight[from][to] * x });
      });
    return all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, count);
  }

  // What a neuron looks for in the picture, 784 numbers: its weights, and those of the layers before multiplied through.
  picture(layer, neuron) {
    let column = this.layers[layer].weight.map((row) => row[neuron]);
    for (let before = layer - 1; before >= 0; before--)
      column = this.layers[before].weight.map((row) => row.reduce((sum, w, j) => sum + w * column[j], 0));
    return column;
  }
}
