"""The gate: whether a candidate may serve, judged on its report card, with a reason for every refusal.

It must be able to say yes. Equally good networks differ on some pictures by chance, so a loss counts only
where it is larger than a margin *and* too large for chance (paired tests, exact, resampled by source picture;
Holm's correction over the ten digits). The default margins come from runs of equally good candidates, most
of which must pass, and of bad ones, all refused; `docs/learning.md` keeps that table.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from model.learning.holdouts import STYLED
from model.learning.report_card import Comparison, CorrectionsEffect, Health, HoldoutResult, ReportCard
from model.learning.significance import holm


@dataclass(frozen=True, slots=True)
class Margins:
    """How much worse a candidate may be, and how sure the gate must be that it is.

    Attributes:
        overall: loss on all pictures of a holdout, as a share of them.
        digit: loss on the pictures of one digit, as a share of them.
        log_loss: rise of the mean log-loss, in nats.
        p_value: a loss beyond a margin refuses when its probability by chance is below this.
        unusual: times these margins on digits in random hands, so many of which lie at the edge that a single
            correction moves some.
        slowdown: time for one glyph, as a multiple of the shipped network's.
        judged_corrections: held-out corrections from which on they must improve; fewer are shown and not
            judged.
    """

    overall: float = 0.001
    digit: float = 0.005
    log_loss: float = 0.004
    p_value: float = 0.01
    unusual: float = 7.0
    slowdown: float = 2.0
    judged_corrections: int = 20


class Fault(StrEnum):
    """Why a candidate is refused."""

    NOT_FINITE = "not_finite"
    WRONG_SHAPE = "wrong_shape"
    TOO_SLOW = "too_slow"
    WORSE_OVERALL = "worse_overall"
    WORSE_DIGIT = "worse_digit"
    WORSE_LOG_LOSS = "worse_log_loss"
    CORRECTIONS_NOT_BETTER = "corrections_not_better"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason to refuse, in values; the words for it are the faces' business.

    Attributes:
        fault: which rule was broken.
        holdout: on which pictures, or None where the rule concerns none.
        opponent: against whom, "champion" or "shipped", or None.
        digit: which digit got worse, for `Fault.WORSE_DIGIT`.
        measured: the figure: a share lost, a rise in nats, a slowdown, a number of glyphs.
        p_value: its probability by chance, or None where the rule needs none.
    """

    fault: Fault
    holdout: str | None = None
    opponent: str | None = None
    digit: int | None = None
    measured: float = 0.0
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the candidate may serve; where not, every reason."""

    reasons: tuple[Reason, ...]

    @property
    def passed(self) -> bool:
        """True where nothing speaks against it."""
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON takes them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The verdict that `to_dict` gave these values for."""
        return cls(
            tuple(Reason(**{**reason, "fault": Fault(reason["fault"])}) for reason in values["reasons"])
        )


def judge(card: ReportCard, margins: Margins) -> Verdict:
    """Every reason to refuse the candidate of this card; none means that it passed."""
    reasons = [*_broken(card.health, margins)]
    for result in card.holdouts:
        reasons += _worse(result, "champion", result.against_champion, margins)
        reasons += _worse(result, "shipped", result.against_shipped, margins)
    reasons += _no_better(card.held_out, margins)
    return Verdict(tuple(reasons))


def _broken(health: Health, margins: Margins) -> Iterator[Reason]:
    if not (health.parameters_are_finite and health.answers_are_finite):
        yield Reason(Fault.NOT_FINITE)
    if not health.shapes_fit:
        yield Reason(Fault.WRONG_SHAPE)
    if health.slowdown > margins.slowdown:
        yield Reason(Fault.TOO_SLOW, measured=health.slowdown)


def _worse(
    result: HoldoutResult, opponent: str, comparison: Comparison, margins: Margins
) -> Iterator[Reason]:
    overall, factor = comparison.overall, margins.unusual if result.name == STYLED else 1.0
    if overall.loss > factor * margins.overall and overall.p_value < margins.p_value:
        yield Reason(Fault.WORSE_OVERALL, result.name, opponent, None, overall.loss, overall.p_value)
    adjusted = holm([difference.p_value for difference in comparison.per_digit])
    for digit, (difference, p_value) in enumerate(zip(comparison.per_digit, adjusted, strict=True)):
        if difference.loss > factor * margins.digit and p_value < margins.p_value:
            yield Reason(Fault.WORSE_DIGIT, result.name, opponent, digit, difference.loss, p_value)
    if comparison.log_loss_rise > factor * margins.log_loss and comparison.log_loss_p_value < margins.p_value:
        rise, p_value = comparison.log_loss_rise, comparison.log_loss_p_value
        yield Reason(Fault.WORSE_LOG_LOSS, result.name, opponent, None, rise, p_value)


def _no_better(held_out: CorrectionsEffect, margins: Margins) -> Iterator[Reason]:
    """Corrections of people it did not learn from must be read better than by the shipped network.

    Not better than by the champion: that one may have learned all there is to learn already, and a candidate
    that had to forget somebody would never pass.
    """
    if held_out.glyphs >= margins.judged_corrections and held_out.candidate <= held_out.shipped:
        gained = held_out.candidate - held_out.shipped
        yield Reason(Fault.CORRECTIONS_NOT_BETTER, opponent="shipped", measured=float(gained))
