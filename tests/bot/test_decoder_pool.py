"""The pool's processes come and go without being noticed."""

from bot.decoder import DecoderPool
from tests.bot.web.strokes import drawing_of


def process_id(pool: DecoderPool) -> int:
    """Of the only decoder, once it is idle."""
    decoder = pool._idle.get(timeout=30)
    pool._idle.put(decoder)
    assert decoder._process is not None  # it has decoded
    return decoder._process.pid


def test_a_decoder_is_renewed_after_its_photos_and_not_before() -> None:
    with DecoderPool(1, photos_per_process=2) as pool:
        ids = []
        for _ in range(5):
            assert pool.read_page_now(drawing_of(4)).lines
            ids.append(process_id(pool))

    assert ids[0] != ids[1] == ids[2] != ids[3] == ids[4]


def test_the_other_decoder_reads_while_one_is_renewed() -> None:
    with DecoderPool(2, photos_per_process=1) as pool:
        pages = [pool.read_page_now(drawing_of(digit)) for digit in range(6)]

    assert all(page.lines for page in pages)


def test_a_pool_that_is_closed_leaves_no_process_behind() -> None:
    pool = DecoderPool(1, photos_per_process=1)
    pool.read_page_now(drawing_of(4))  # the renewal has begun
    pool.close()

    decoder = pool._idle.get() if not pool._idle.empty() else None
    assert decoder is None or decoder._process is None
