"""Pure: what administrators are told of training, versions and review, and contributors of their receipts."""

from collections.abc import Sequence
from datetime import datetime

from bot.i18n import Texts
from bot.replies import in_one_line, percent
from bot.services.learning import Progress
from bot.services.receipts import Helped
from bot.services.training_run import Stage, Trigger
from bot.services.versions import Version
from model.learning.gate import Fault, Reason
from model.learning.selection import Rule
from storage.records import CorrectionRecord, RunState

_BAR = 12
_RECEIPT_LINES = 10


def starting(texts: Texts) -> str:
    """What stands in the message that shows progress, at first."""
    return texts.gettext("Starting…")


def progress(texts: Texts, at: Progress) -> str:
    """How far a training is, with a bar and the time left; or how it ended."""
    if at.state is RunState.FAILED:
        return texts.gettext("The training failed; the log says why. Nothing was changed.")
    if at.state is RunState.CANCELLED:
        return texts.gettext("The training was cancelled. Nothing was changed.")
    if at.state is RunState.FINISHED and at.version_id is None:
        return texts.gettext(
            "There is nothing to learn: every correction waits for /review or does not count."
        )
    if at.state is RunState.FINISHED:
        return texts.gettext("The training is done: version {version}.").format(version=at.version_id)
    filled = round(at.done * _BAR)
    bar = f"<code>{'█' * filled}{'░' * (_BAR - filled)} {at.done * 100:3.0f} %</code>"
    lines = [_stage(texts, at.stage), bar]
    if at.seconds_left is not None:
        lines.append(_time_left(texts, at.seconds_left))
    return "\n".join(lines)


def stopped(texts: Texts) -> str:
    """What a training's message says when the bot is switched off meanwhile."""
    return texts.gettext(
        "The bot was switched off, and the training with it. Nothing was changed; /retrain begins anew."
    )


def _time_left(texts: Texts, seconds: float) -> str:
    """As exactly as a guess can be: minutes above one and a half."""
    if seconds > 90:
        minutes = round(seconds / 60)
        left = texts.ngettext("about {minutes} minute left", "about {minutes} minutes left", minutes)
        return left.format(minutes=minutes)
    whole = max(1, round(seconds))
    left = texts.ngettext("about {seconds} second left", "about {seconds} seconds left", whole)
    return left.format(seconds=whole)


def _stage(texts: Texts, stage: str) -> str:
    sentences = {
        Stage.SELECTING: texts.gettext("Choosing what to learn from…"),
        Stage.DOWNLOADING: texts.gettext("Downloading MNIST, where it is missing…"),
        Stage.PREPARING: texts.gettext("Preparing the pictures to judge by…"),
        Stage.TRAINING: texts.gettext("Training…"),
        Stage.JUDGING: texts.gettext("Comparing with the network that serves…"),
    }
    return sentences[Stage(stage)] if stage else starting(texts)


def report(texts: Texts, version: Version) -> str:
    """The caption of a report card: what was learned from, whether it passed, and why not."""
    assert version.card is not None  # it comes from a training
    assert version.verdict is not None  # so does this
    effect, corrections = version.card.trained, int(version.record.data.get("corrections", 0))
    lines = [
        texts.ngettext(
            "<b>Version {version}</b>, trained on {count} corrected digit; replay: {replay}.",
            "<b>Version {version}</b>, trained on {count} corrected digits; replay: {replay}.",
            corrections,
        ).format(version=version.id, count=corrections, replay=version.card.replay),
        texts.gettext("Of the corrections it reads {now} of {total} as taught ({before} before).").format(
            now=effect.candidate, total=effect.glyphs, before=effect.champion
        ),
    ]
    if not version.verdict.passed:
        lines.append(texts.gettext("The gate <b>refuses</b> it:"))
        lines += [f"• {reason(texts, one)}" for one in version.verdict.reasons[:5]]
    elif version.is_serving:
        lines.append(texts.gettext("It passed the gate and <b>serves</b>."))
    else:
        lines.append(texts.gettext("It passed the gate. Shall it serve?"))
    return "\n".join(lines)


def reason(texts: Texts, why: Reason) -> str:
    """One reason of the gate."""
    where = {
        "plain": texts.gettext("held-out digits"),
        "styled": texts.gettext("digits in random hands"),
        "photographed": texts.gettext("photographed digits"),
    }.get(why.holdout or "", why.holdout or "")
    whom = texts.gettext("the shipped network")
    if why.opponent == "champion":
        whom = texts.gettext("the network that serves")
    sentences = {
        Fault.NOT_FINITE: texts.gettext("its weights or answers are not finite"),
        Fault.WRONG_SHAPE: texts.gettext("its weights have another shape"),
        Fault.TOO_SLOW: texts.gettext("it takes {times} times as long"),
        Fault.WORSE_OVERALL: texts.gettext("{points} points worse than {whom} on {where}"),
        Fault.WORSE_DIGIT: texts.gettext("{points} points worse than {whom} at {digit} on {where}"),
        Fault.WORSE_LOG_LOSS: texts.gettext("less sure of the truth than {whom} on {where}"),
        Fault.CORRECTIONS_NOT_BETTER: texts.gettext("held-out corrections are not read better"),
    }
    points = f"{why.measured * 100:.2f}"
    return sentences[why.fault].format(
        times=f"{why.measured:.1f}", points=points, whom=whom, where=where, digit=why.digit
    )


def models(texts: Texts, versions: Sequence[Version]) -> str:
    """The timeline, newest first."""
    return "\n".join(
        [texts.gettext("<b>Versions</b>, newest first"), *(_line(texts, one) for one in versions)]
    )


def _line(texts: Texts, version: Version) -> str:
    parts = [f"<b>v{version.id}</b> {_moment(version.record.created_at)}", _origin(texts, version)]
    if version.card is not None and version.card.holdouts:
        plain = version.card.holdouts[0]
        parts.append(f"{plain.candidate.right / plain.pictures:.2%}".replace("%", " %"))
    parts.append(_standing(texts, version))
    return " · ".join(part for part in parts if part)


def _origin(texts: Texts, version: Version) -> str:
    corrections = int(version.record.data.get("corrections", 0))
    if version.record.parent_id is None:
        return texts.gettext("as shipped")
    return texts.ngettext(
        "v{parent} + {count} correction", "v{parent} + {count} corrections", corrections
    ).format(parent=version.record.parent_id, count=corrections)


def _standing(texts: Texts, version: Version) -> str:
    if version.is_serving:
        since = texts.gettext("<b>serves</b> since {moment}").format(
            moment=_moment(version.services[0].since)
        )
        by = version.services[0].by
        return since if by is None else f"{since} ({by})"
    if version.record.is_forgotten:
        return texts.gettext("gone: somebody it learned from has left")
    if not version.is_consented:
        return texts.gettext("cannot serve: somebody it learned from has withdrawn their consent")
    if version.services:
        return texts.gettext("served until {moment}").format(moment=_moment(version.services[0].until))
    if not version.can_serve:
        return texts.gettext("refused by the gate")
    return texts.gettext("waits for a decision")


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"


def serves(texts: Texts, version_id: int) -> str:
    """After a promotion or a rollback."""
    return texts.gettext("Version {version} serves now.").format(version=version_id)


def rejected(texts: Texts, version_id: int) -> str:
    """After an administrator refused a candidate."""
    return texts.gettext("Version {version} is rejected; nothing was changed.").format(version=version_id)


def promote_button(texts: Texts) -> str:
    """The label that lets a candidate serve."""
    return texts.gettext("Promote")


def reject_button(texts: Texts) -> str:
    """The label that refuses it."""
    return texts.gettext("Reject")


def serve_button(texts: Texts, version_id: int) -> str:
    """The label that lets an older version serve again."""
    return texts.gettext("Serve v{version}").format(version=version_id)


def cancelling(texts: Texts) -> str:
    """The reply to /cancel while a training is under way."""
    return texts.gettext("The training is being stopped.")


def training_under_way(texts: Texts) -> str:
    """The reply to a second /retrain."""
    return texts.gettext("A training is already under way. /cancel stops it.")


def nothing_to_learn(texts: Texts) -> str:
    """The reply to /retrain where no correction may train."""
    return texts.gettext(
        "There are no corrections that may train: they need the consent of the person whose photo it is."
    )


def nothing_to_roll_back_to(texts: Texts) -> str:
    """Where no such version has served before."""
    return texts.gettext("No such version has served before.")


def cannot_serve(texts: Texts) -> str:
    """Where a version was refused, is forgotten, has lost its weights or the consent to what it learned."""
    return texts.gettext("That version cannot serve (any more). /models shows why.")


# ------------------------------------------------------------------------------------------------ review


def review_item(texts: Texts, correction: CorrectionRecord, read: str, waiting: int) -> str:
    """The caption of a correction that waits for a decision."""
    sentences: dict[str, str] = {
        Rule.MODEL_IS_SURE: texts.gettext("the shipped network is sure of something else"),
        Rule.CONFLICTING_LABELS: texts.gettext("others say otherwise of nearly the same picture"),
        Rule.DISAGREES_WITH_OTHERS: texts.gettext("this person disagrees with the others nearly always"),
    }
    why = sentences.get(correction.reason or "", correction.reason or "")
    head = texts.gettext("Read as <b>{read}</b>, said to be <b>{said}</b>: {why}.").format(
        read=in_one_line(read) or "–", said=in_one_line(correction.digits), why=why
    )
    count = texts.ngettext("{count} waits.", "{count} wait.", waiting).format(count=waiting)
    return f"{head}\n{count}"


def nothing_to_review(texts: Texts) -> str:
    """The reply to /review where nothing waits."""
    return texts.gettext("No correction waits for a decision.")


def decided(texts: Texts, *, accepted: bool) -> str:
    """What stands under a correction that was decided on."""
    return (
        texts.gettext("Accepted: it trains.") if accepted else texts.gettext("Rejected: it does not train.")
    )


def not_counting(texts: Texts) -> str:
    """Where a correction was taken back or replaced before it was decided on, or consent was withdrawn."""
    return texts.gettext(
        "That correction was taken back, replaced or withdrawn meanwhile; nothing was changed."
    )


def accept_button(texts: Texts) -> str:
    """The label that believes a correction."""
    return texts.gettext("Accept")


# ---------------------------------------------------------------------------------------------- receipts


def receipt(texts: Texts, helped: Sequence[Helped]) -> str:
    """Tells a contributor of the corrections of theirs that have helped a version."""
    if len(helped) == 1:
        sentence = texts.gettext(
            "Your {label} of {day} has helped: I read it as {was} ({before}), and read it as {label} "
            "({after}) since version {version}. Thank you."
        )
        return _of(helped[0], sentence)
    heading = texts.gettext("{count} of your corrections have helped since version {version}. Thank you.")
    line = texts.gettext("Your {label} of {day}: was {was} ({before}), is {label} ({after})")
    lines = [heading.format(count=len(helped), version=helped[0].version_id)]
    lines += [_of(one, line) for one in helped[:_RECEIPT_LINES]]
    if len(helped) > _RECEIPT_LINES:
        lines.append(texts.gettext("and {count} more").format(count=len(helped) - _RECEIPT_LINES))
    return "\n".join(lines)


def _of(helped: Helped, sentence: str) -> str:
    """The sentence with what is to be said of one glyph."""
    return sentence.format(
        label=helped.label,
        day=f"{helped.corrected_at:%Y-%m-%d}",
        was=helped.was,
        before=percent(helped.was_confidence),
        after=percent(helped.confidence),
        version=helped.version_id,
    )


def unasked(texts: Texts, over: Progress) -> str:
    """What stands above a report that nobody asked for, or instead of one."""
    if over.has_crashed:
        return texts.gettext(
            "A training broke off, because its process was killed. Nothing was changed; /retrain begins anew."
        )
    if over.trigger == Trigger.FORGETTING and over.version_id is None:
        return texts.gettext(
            "Somebody has left, and nothing to learn from is left; the shipped network serves."
        )
    if over.trigger == Trigger.FORGETTING:
        return texts.gettext("Somebody has left, so a network without them was trained.")
    return texts.gettext("The nightly training is done.")
