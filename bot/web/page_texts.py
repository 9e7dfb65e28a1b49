"""Pure: what the draw page says, by the names that its HTML and its modules use; HTML, as all our texts."""

from bot.i18n import Texts


def page_texts(texts: Texts) -> dict[str, str]:
    """All sentences of the page; `{...}` in them is filled in by its modules."""
    return _frame(texts) | _answers(texts) | _network(texts)


def _frame(texts: Texts) -> dict[str, str]:
    """What stands on the page before anything is drawn."""
    return {
        "title": texts.gettext("Draw a digit"),
        "subtitle": texts.gettext("and watch the network read it."),
        "key": texts.gettext("API key"),
        "use_key": texts.gettext("Use it"),
        "board": texts.gettext("Drawing board"),
        "board_help": texts.gettext(
            "Finger, pen or mouse. Keyboard: arrows move the pen, <kbd>Space</kbd> sets it down and lifts "
            "it, <kbd>Ctrl</kbd>+<kbd>Z</kbd> undoes, <kbd>Delete</kbd> clears."
        ),
        "undo": texts.gettext("Undo"),
        "clear": texts.gettext("Clear"),
        "send": texts.gettext("Send to chat"),
        "reading": texts.gettext("Reading"),
        "network": texts.gettext("Network"),
        "classic": texts.gettext("Classic network"),
        "reader": texts.gettext("Reader"),
        "ten_answers": texts.gettext("Ten answers"),
        "sees": texts.gettext("What the network sees: 28 × 28 pixels"),
        "sees_spoken": texts.gettext("What the network sees, 28 by 28 pixels"),
        "inside": texts.gettext("Inside the classic network"),
        "inside_help": texts.gettext(
            "784 pixels, two hidden layers of 16, ten outputs; every number is real. Lines are the strongest "
            "weights, as thick as what they carry now: "
            '<b class="positive">blue excites</b>, <b class="negative">orange holds back</b>.'
        ),
        "neurons": texts.gettext("Neurons; arrow keys go from one to the next"),
        "chosen_neuron": texts.gettext("The chosen neuron"),
    }


def _answers(texts: Texts) -> dict[str, str]:
    """What is said of a drawing, and of what went wrong with it."""
    return {
        "nothing_drawn": texts.gettext("Nothing drawn yet"),
        "not_read": texts.gettext("Not read yet"),
        "no_ink": texts.gettext("No ink to be seen"),
        "too_many_marks": texts.gettext("Too many marks"),
        "touches_edge": texts.gettext("Runs over the edge"),
        "too_blurred": texts.gettext("Too blurred"),
        "too_small": texts.gettext("Too small to read"),
        "on_its_side": texts.gettext("May lie on its side"),
        "not_a_digit": texts.gettext("Does not look like a digit"),
        "sure": texts.gettext("{percent} sure"),
        "live": texts.gettext("The answer comes while you draw."),
        "classic_would_say": texts.gettext("The classic network would say {digits}."),
        "classic_agrees": texts.gettext("The small classic network agrees."),
        "classic_says": texts.gettext("The small classic network says {digits}."),
        "glyph": texts.gettext("Digit {number}, read as {digit}"),
        "no_glyph": texts.gettext("Nothing yet"),
        "classic_bars": texts.gettext("Activations of the classic network's ten outputs, each 0 to 1."),
        "reader_bars": texts.gettext("Calibrated probabilities of the network that the bot answers with."),
        "sent": texts.gettext("Sent"),
        "open_too_long": texts.gettext(
            "This page has been open for too long. Please open it again from the chat."
        ),
        "unreachable": texts.gettext("the server cannot be reached."),
        "key_refused": texts.gettext("That key is not accepted."),
        "key_wanted": texts.gettext(
            "This server reads drawings from its own machine, from Telegram, or with an API key."
        ),
        "failed": texts.gettext("That did not work: {message}"),
    }


def _network(texts: Texts) -> dict[str, str]:
    """What stands in the drawing of the network, and beside a neuron of it."""
    return {
        "layer_0": texts.gettext("hidden 1"),
        "layer_1": texts.gettext("hidden 2"),
        "layer_2": texts.gettext("output"),
        "short_layer_0": texts.gettext("h1"),
        "short_layer_1": texts.gettext("h2"),
        "short_layer_2": texts.gettext("out"),
        "pixels": texts.gettext("784 pixels"),
        "hidden_spoken": texts.gettext("{layer}, neuron {number}, activation {activation}"),
        "output_spoken": texts.gettext("{layer}, digit {number}, activation {activation}"),
        "neuron": texts.gettext("A neuron, close up"),
        "neuron_help": texts.gettext(
            "Draw a digit, then hover, tap or use the arrow keys to look into a neuron: its weights as a "
            "picture, its sum and its sigmoid."
        ),
        "neuron_0": texts.gettext("First hidden layer, neuron {number}"),
        "neuron_1": texts.gettext("Second hidden layer, neuron {number}"),
        "neuron_2": texts.gettext("Output for digit {number}"),
        "weights_spoken": texts.gettext("Weights as a picture"),
        "own_weights": texts.gettext("Its 784 weights"),
        "multiplied_weights": texts.gettext("What it looks for (weights of all layers multiplied)"),
        "shares_spoken": texts.gettext("Weights times ink"),
        "shares": texts.gettext("The same, where there is ink now"),
        "contribution": texts.gettext("neuron {number}: {weight} × {input} = {share}"),
        "contributions_spoken": texts.gettext("Contributions of the 16 neurons before it"),
        "contributions_0": texts.gettext(
            "What the 16 neurons of the first hidden layer bring: weight × activation"
        ),
        "contributions_1": texts.gettext(
            "What the 16 neurons of the second hidden layer bring: weight × activation"
        ),
        "sum_spoken": texts.gettext("z equals {z}"),
        "sigmoid_spoken": texts.gettext("sigmoid of z equals {activation}"),
        "curve_spoken": texts.gettext("The sigmoid, and this neuron on it"),
    }
