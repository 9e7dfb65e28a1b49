"""Networks are trained, measured and taken up again from the command line."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from model.nn import checkpoint

DATA = os.environ.get("DIGITBOT_TEST_DATA")

pytestmark = pytest.mark.skipif(
    DATA is None or not (Path(DATA) / "mnist").is_dir(),
    reason="needs MNIST: DIGITBOT_TEST_DATA names no folder with mnist/ in it",
)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "bot", *arguments, "--mnist", f"{DATA}/mnist"]


def _train(out: Path, epochs: int, *more: str) -> list[str]:
    options = ["--architecture", "classic", "--out", str(out), "--epochs", str(epochs)]
    return _command("train", *options, *more)


def _run(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_a_trained_network_is_measured_on_the_test_images(tmp_path: Path) -> None:
    out, pictures = tmp_path / "new" / "classic.safetensors", tmp_path / "report"
    _run(_train(out, 1))

    figures = json.loads(
        _run(_command("evaluate", "--checkpoint", str(out), "--json", "--report", str(pictures)))
    )

    assert figures["architecture"] == "classic"
    assert (figures["parameters"], figures["images"]) == (13_002, 10_000)
    assert figures["accuracy"] == 1 - figures["errors"] / 10_000 > 0.8
    assert len(figures["per_digit"]) == 10
    assert {picture.stem for picture in pictures.iterdir()} == {
        "confusion", "learning-curve", "mistakes", "per-digit", "reliability", "robustness",
    }  # fmt: skip
    command = checkpoint.load_file(out).metadata["command"]
    assert command.startswith("digitbot train --architecture classic --mnist data/mnist ")
    assert command.endswith(" --out classic.safetensors --epochs 1 --seed 0")


def test_ctrl_c_keeps_the_best_so_far_and_resume_ends_where_an_undisturbed_training_does(
    tmp_path: Path,
) -> None:
    # a shell's background jobs ignore SIGINT, and so do their children unless it is handled here
    signal.signal(signal.SIGINT, signal.default_int_handler)
    straight, stopped = tmp_path / "a" / "classic.safetensors", tmp_path / "b" / "classic.safetensors"
    _run(_train(straight, 4))

    with subprocess.Popen(
        _train(stopped, 4), stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout is not None  # it is a pipe
        assert process.stdout.readline().startswith("epoch 1 of 4")
        process.send_signal(signal.SIGINT)
        assert "--resume goes on" in process.stdout.read()
    assert process.returncode == 0
    assert checkpoint.load_file(stopped).network.architecture == "classic"
    _run(_train(stopped, 4, "--resume"))

    assert stopped.read_bytes() == straight.read_bytes()
    assert list(stopped.parent.iterdir()) == [stopped]


@pytest.mark.parametrize("architecture", ["classic", "reader", "judge"])
def test_resuming_what_was_never_begun_is_one_clear_line_at_once(tmp_path: Path, architecture: str) -> None:
    """Of a reader and a judge before their photos are made, which takes most of an hour."""
    out = tmp_path / "out.safetensors"

    result = subprocess.run(
        _command("train", "--architecture", architecture, "--out", str(out), "--resume"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert result.returncode == 1
    assert result.stderr == f"digitbot: cannot read {out}.training: No such file or directory\n"


def test_the_name_of_a_network_may_end_as_one_likes(tmp_path: Path) -> None:
    out = tmp_path / "classic.training"

    _run(_train(out, 1))

    assert checkpoint.load_file(out).network.architecture == "classic"
    assert list(tmp_path.iterdir()) == [out]


def test_the_shipped_classic_network_reads_95_5_percent_of_the_test_images() -> None:
    shipped = checkpoint.SHIPPED / "classic.safetensors"

    assert json.loads(_run(_command("evaluate", "--checkpoint", str(shipped), "--json")))["accuracy"] >= 0.955


@pytest.mark.soak
def test_the_seeds_own_loop_comes_to_what_its_text_says() -> None:
    """784-16-16-10, one example at a time, one epoch at 0.1: 90.5 %, within a point."""
    task = [sys.executable, "-m", "bot.commands.bench_network_numpy", "seed-loop", f"{DATA}/mnist"]

    assert json.loads(_run(task))["accuracy"] == pytest.approx(0.905, abs=0.01)
