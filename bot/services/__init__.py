"""Use cases without Telegram and without the web: the faces call them, they call `model` and `storage`."""

from dataclasses import dataclass

from bot.services.champion import Champion
from bot.services.consent import ConsentService
from bot.services.corrections import CorrectionService
from bot.services.learning import LearningService
from bot.services.reading import ReadingService
from bot.services.receipts import ReceiptService
from bot.services.replays import ReplayService
from bot.services.review import ReviewService


@dataclass(frozen=True)
class Services:
    """Every use case there is; built once, in `bot.app`."""

    champion: Champion
    reading: ReadingService
    corrections: CorrectionService
    consent: ConsentService
    learning: LearningService
    receipts: ReceiptService
    review: ReviewService
    replays: ReplayService
