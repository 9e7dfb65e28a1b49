"""Fine-tuning on corrections, replay, and a whole retraining, with a small network and few pictures."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from model.errors import TrainingError
from model.learning import handwriting, holdouts, replay
from model.learning.examples import Examples
from model.learning.finetuning import FineTuning, fine_tune, seed_of
from model.learning.gate import Fault, Margins, judge
from model.learning.replay import Replay
from model.learning.retraining import Examiner, Job, Stage, retrain
from model.learning.styles import Style
from model.nn import checkpoint
from model.nn.checkpoint import Checkpoint
from model.nn.network import Network
from model.nn.workers import Workers

QUICK = FineTuning(least_steps=8, batch_size=36, full_rate_steps=8)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(2) as workers:
        yield workers


@pytest.fixture(scope="module")
def shipped() -> Checkpoint:
    return checkpoint.shipped("reader")


@pytest.fixture(scope="module")
def drawn() -> Examples:
    return handwriting.examples(120, np.random.default_rng(5))


@pytest.fixture(scope="module")
def correction(drawn: Examples, shipped: Checkpoint) -> Examples:
    """One glyph in a hard hand that the shipped network misreads and is not sure of."""
    for seed in range(50):
        style = Style.random(np.random.default_rng(seed), strength=1.3)
        styled = Examples(style.write_all(drawn.images[:20], drawn.labels[:20]), drawn.labels[:20])
        probabilities = shipped.network.probabilities(styled.pixels)
        is_misread = (probabilities.argmax(axis=1) != styled.labels) & (probabilities.max(axis=1) < 0.7)
        if is_misread.any():
            return styled.take(np.flatnonzero(is_misread)[:1])
    raise AssertionError("the shipped network reads every hand")


def tune(
    base: Network, corrections: Examples, mixed_in: Replay, workers: Workers, recipe: FineTuning = QUICK
) -> Network:
    seed = seed_of(base, corrections)
    return fine_tune(base, corrections, mixed_in, recipe, workers, seed=seed, progress=lambda *_: None)


def same_weights(one: Network, other: Network) -> bool:
    theirs = other.parameters()
    return all(np.array_equal(parameter, theirs[name]) for name, parameter in one.parameters().items())


def test_one_correction_is_learned_and_the_shipped_network_stays_as_it_is(
    shipped: Checkpoint, correction: Examples, drawn: Examples, workers: Workers
) -> None:
    before = shipped.network.copy()

    mixed_in = Replay.of(replay.MNIST, drawn, shipped.network, workers)
    tuned = tune(shipped.network, correction, mixed_in, workers)
    stepped_back = shipped.network.interpolate(tuned, 0.75)

    assert stepped_back.logits(correction.pixels).argmax() == correction.labels[0]
    assert same_weights(shipped.network, before)


def test_equal_data_gives_equal_weights_bit_for_bit(
    shipped: Checkpoint, correction: Examples, drawn: Examples
) -> None:
    def drawn_ones(workers: Workers) -> Replay:
        rng = np.random.default_rng(1)
        return Replay.of(replay.DRAWN, handwriting.examples(60, rng), shipped.network, workers)

    with Workers(1) as alone:
        one = tune(shipped.network, correction, drawn_ones(alone), alone)
    with Workers(2) as together:
        other = tune(shipped.network, correction, drawn_ones(together), together)

    assert same_weights(one, other)


def test_other_data_gives_another_seed(shipped: Checkpoint, drawn: Examples) -> None:
    assert seed_of(shipped.network, drawn.take(slice(0, 5))) != seed_of(
        shipped.network, drawn.take(slice(0, 6))
    )


def test_a_mean_over_the_last_steps_depends_less_on_the_order_of_the_corrections(
    shipped: Checkpoint, drawn: Examples, workers: Workers
) -> None:
    mixed_in = Replay.of(replay.MNIST, drawn, shipped.network, workers)
    orders = [drawn.take(np.arange(20)), drawn.take(np.arange(20)[::-1])]

    def distance(averaged: float) -> float:
        recipe = replace(QUICK, averaged=averaged)
        one, other = (tune(shipped.network, taught, mixed_in, workers, recipe) for taught in orders)
        theirs = other.parameters()
        return sum(float(np.square(own - theirs[name]).sum()) for name, own in one.parameters().items())

    assert distance(0.5) < distance(0)


def test_nothing_cannot_be_learned(shipped: Checkpoint, drawn: Examples, workers: Workers) -> None:
    mixed_in = Replay.of(replay.MNIST, drawn, shipped.network, workers)

    with pytest.raises(TrainingError, match="no corrections"):
        tune(shipped.network, drawn.take(slice(0, 0)), mixed_in, workers)


def test_every_digit_is_replayed_equally_often_as_far_as_it_lies_not_at_the_edge(
    shipped: Checkpoint, drawn: Examples, workers: Workers
) -> None:
    mostly_ones = Examples.concatenate([drawn, *[drawn.take(np.array([1]))] * 200])

    mixed_in = Replay.of(replay.MNIST, mostly_ones, shipped.network, workers)
    indices = mixed_in.indices(60, np.random.default_rng(0))

    np.testing.assert_array_equal(np.bincount(mostly_ones.labels[indices[:30]]), np.full(10, 3))
    assert set(indices[30:]) <= set(mixed_in.edge)


def test_the_edge_is_what_the_shipped_network_is_least_sure_of(
    shipped: Checkpoint, drawn: Examples, workers: Workers
) -> None:
    confidences = shipped.network.probabilities(drawn.pixels).max(axis=1)

    edge = Replay.of(replay.MNIST, drawn, shipped.network, workers).edge

    assert len(edge) == 12
    assert confidences[edge].max() < np.delete(confidences, edge).min()


def test_what_is_replayed_aims_at_what_the_shipped_network_says_of_it(
    shipped: Checkpoint, workers: Workers
) -> None:
    rng = np.random.default_rng(1)
    mixed_in = Replay.of(replay.DRAWN, handwriting.examples(10, rng), shipped.network, workers)
    pixels = mixed_in.examples.pixels

    np.testing.assert_allclose(mixed_in.targets(pixels), shipped.network.probabilities(pixels), rtol=1e-5)


@pytest.mark.parametrize(("share", "per_batch"), [(0.02, 6), (0.55, 6), (0.6, 5), (1.0, 3)])
def test_whoever_teaches_nearly_alone_is_diluted_with_more_replay(share: float, per_batch: int) -> None:
    recipe = FineTuning(corrections_per_batch=6).within(share, person=0.05, corrections=0.2)

    assert recipe.corrections_per_batch == per_batch
    assert share * per_batch / recipe.batch_size <= 0.05


def test_corrections_never_make_up_more_than_their_part() -> None:
    recipe = FineTuning(corrections_per_batch=30).within(0.01, person=0.05, corrections=0.2)

    assert recipe.corrections_per_batch == 13


@pytest.mark.parametrize(
    ("corrections", "steps"), [(1, 140), (110, 140), (330, 360), (440, 400), (1_000, 400), (5_500, 2_000)]
)
def test_few_corrections_are_passed_over_often_and_many_at_least_four_times(
    corrections: int, steps: int
) -> None:
    assert FineTuning().steps(corrections) == steps


@pytest.mark.parametrize(
    ("name", "corrections", "furthest"),
    [(replay.MNIST, 1, 0.8), (replay.MNIST, 500, 0.8), (replay.DRAWN, 1, 0.8), (replay.DRAWN, 500, 0.4)],
)
def test_without_mnist_many_corrections_lead_less_far(
    name: str, corrections: int, furthest: float, shipped: Checkpoint, drawn: Examples
) -> None:
    mixed_in = Replay(name, drawn, np.arange(1), shipped.network)

    assert FineTuning().ways_back(corrections, mixed_in)[0] == furthest


@pytest.fixture(scope="module")
def job(shipped: Checkpoint, correction: Examples, drawn: Examples) -> Job:
    return Job(shipped, shipped, correction, drawn.take(slice(0, 0)), QUICK, Margins())


def test_a_retraining_steps_back_until_the_gate_passes_or_is_refused(
    job: Job, shipped: Checkpoint, drawn: Examples, workers: Workers
) -> None:
    """Here the gate forbids every loss of log-loss, so that the last step is taken and refused."""
    strict = Job(
        job.shipped, job.champion, job.trained, job.held_out, QUICK, Margins(log_loss=-10.0, p_value=2.0)
    )
    told: list[tuple[Stage, float]] = []

    outcome = retrain(
        strict,
        Replay.of(replay.MNIST, drawn, shipped.network, workers),
        (holdouts.plain(drawn),),
        workers,
        lambda stage, done: told.append((stage, done)),
    )

    assert not outcome.verdict.passed
    assert outcome.card.step == 0.5
    assert outcome.card.trained.glyphs == 1
    assert list(dict.fromkeys(stage for stage, _ in told)) == [Stage.TRAINING, Stage.JUDGING]
    judging = [done for stage, done in told if stage is Stage.JUDGING]
    assert judging == sorted(judging)
    assert len(judging) == 12  # four networks, each asked about three sets of pictures
    assert judging[-1] <= 1
    assert checkpoint.load(outcome.candidate).metadata["parent"] == job.shipped.sha256
    assert checkpoint.load(outcome.candidate).metadata["temperature"] == job.shipped.metadata["temperature"]


def test_a_broken_candidate_is_refused_before_it_is_asked(
    job: Job, drawn: Examples, workers: Workers
) -> None:
    examiner = Examiner(job, (holdouts.plain(drawn),), workers)
    broken = job.shipped.network.copy()
    next(iter(broken.parameters().values())).flat[0] = np.nan

    card = examiner.examine(broken, step=0.75, replay="mnist", seconds=0.0)

    assert [reason.fault for reason in judge(card, job.margins).reasons] == [Fault.NOT_FINITE]


def test_a_candidate_of_another_architecture_is_refused(job: Job, drawn: Examples, workers: Workers) -> None:
    examiner = Examiner(job, (holdouts.plain(drawn),), workers)

    card = examiner.examine(checkpoint.shipped("classic").network, step=0.75, replay="mnist", seconds=0.0)

    assert Fault.WRONG_SHAPE in {reason.fault for reason in judge(card, job.margins).reasons}
