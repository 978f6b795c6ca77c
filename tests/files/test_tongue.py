"""Which language a text is in."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from colibri.files import Refresh
from colibri.files.tongue import UNDETERMINED, language_of
from colibri.index import Index
from reference import ARTEFACTS

TEXTS = {
    "en": "The meeting was moved to Friday, because most of us could not come on the day that had been agreed.",
    "de": "Die Besprechung wurde auf Freitag verschoben, weil die meisten von uns an dem Tag nicht kommen konnten.",
    "fr": "La réunion a été reportée à vendredi, parce que la plupart d'entre nous ne pouvaient pas venir ce jour-là.",
    "es": "La reunión se ha trasladado al viernes, porque la mayoría de nosotros no podía venir el día que se acordó.",
    "it": "La riunione è stata spostata a venerdì, perché la maggior parte di noi non poteva venire nel giorno"
    " fissato.",
    "pt": "A reunião foi adiada para sexta-feira, porque a maioria de nós não podia vir no dia que tinha sido"
    " combinado.",
    "nl": "De vergadering is verplaatst naar vrijdag, omdat de meesten van ons niet konden komen op de dag zelf.",
    "sv": "Mötet har flyttats till fredag, eftersom de flesta av oss inte kunde komma den dag som var bestämd.",
    "pl": "Spotkanie zostało przeniesione na piątek, ponieważ większość z nas nie mogła przyjść w dniu, który"
    " był ustalony.",
    "cs": "Schůzka byla přesunuta na pátek, protože většina z nás nemohla přijít v den, který byl domluven.",
    "hu": "A megbeszélést péntekre tették át, mert a legtöbben közülünk nem tudtak eljönni azon a napon, és ez"
    " így van.",
    "tr": "Toplantı cuma gününe alındı, çünkü çoğumuz kararlaştırılan günde gelemiyordu ve bu bir sorun oldu.",
    "fi": "Kokous siirrettiin perjantaille, koska useimmat meistä eivät voineet tulla silloin, ja se on myös hyvä.",
    "vi": "Cuộc họp đã được chuyển sang thứ sáu vì hầu hết chúng tôi không thể đến vào ngày đã định.",
    "id": "Rapat dipindahkan ke hari Jumat karena sebagian besar dari kami tidak bisa datang pada hari itu.",
    "ru": "Встречу перенесли на пятницу, потому что большинство из нас не могло прийти в назначенный день.",
    "uk": "Зустріч перенесли на п'ятницю, тому що більшість із нас не могла прийти у призначений день.",
    "bg": "Срещата беше преместена за петък, защото повечето от нас не можеха да дойдат в уречения ден.",
    "sr": "Састанак је померен за петак, јер већина нас није могла да дође у договорени дан.",
    "ar": "تم نقل الاجتماع إلى يوم الجمعة لأن معظمنا لم يتمكن من الحضور في اليوم المتفق عليه",
    "fa": "جلسه به روز جمعه منتقل شد، چون بیشتر ما نمی‌توانستیم در روزی که تعیین شده بود بیاییم",
    "ur": "میٹنگ جمعہ کو منتقل کر دی گئی کیونکہ ہم میں سے اکثر اس دن نہیں آ سکتے تھے",
    "he": "הפגישה הועברה ליום שישי כי רובנו לא יכולנו להגיע ביום שנקבע",
    "hi": "बैठक शुक्रवार को कर दी गई है क्योंकि हम में से अधिकांश तय दिन पर नहीं आ सकते थे",
    "el": "Η συνάντηση μεταφέρθηκε για την Παρασκευή, επειδή οι περισσότεροι δεν μπορούσαν να έρθουν.",
    "th": "การประชุมถูกเลื่อนไปเป็นวันศุกร์เพราะพวกเราส่วนใหญ่ไม่สามารถมาได้",
    "ko": "우리 대부분이 정해진 날에 올 수 없어서 회의가 금요일로 옮겨졌습니다.",
    "ja": "ほとんどの人が予定の日に来られないため、会議は金曜日に変更されました。",
    "zh": "因为我们大多数人在约定的那天不能来，所以会议改到了星期五。",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_sentence_is_enough(language: str) -> None:
    assert language_of(TEXTS[language]) == language
    assert language_of(TEXTS[language].upper()) == language
    assert language_of(TEXTS[language] * 200) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Berlin",
        "1234567890 " * 50,
        "x = foo(bar)\nreturn baz[i]\n" * 20,
        "\x00" * 500,
        "😀" * 100,
        "a" * 9999,
        "src/main.c:12: undefined reference to xyzzy_plugh",
        "Δ x = 5",
    ],
)
def test_what_nobody_can_say_is_undetermined(text: str) -> None:
    assert language_of(text) == UNDETERMINED


def test_what_most_of_a_text_is_in_counts() -> None:
    assert language_of(f"{TEXTS['de']} {TEXTS['de']} (engl. friday meeting)") == "de"
    assert language_of(f"Windows Server 2022: {TEXTS['zh']}") == "zh"
    assert language_of(f"{TEXTS['ja']} API SDK HTTP") == "ja"


@given(st.text(max_size=500))
def test_any_text_has_an_answer_of_two_or_three_letters(text: str) -> None:
    found = language_of(text)
    assert found.isascii()
    assert found.isalpha()
    assert len(found) in {2, 3}


def test_files_have_theirs_noted_and_so_do_those_that_were_indexed_before(tmp_path: Path) -> None:
    (tmp_path / "f").mkdir()
    for name in ("en", "de", "ja"):
        (tmp_path / "f" / f"{name}.txt").write_text(TEXTS[name], encoding="utf-8")
    (tmp_path / "f/declared.html").write_text(f'<html lang="fr-CA"><p>{TEXTS["en"]}</p>', encoding="utf-8")
    with Index.open(tmp_path / "i", ARTEFACTS / "tiny-random-bert") as index:
        index.sync(tmp_path / "f")

        def languages() -> dict[str, str]:
            return {Path(found_id).stem: own["file"].get("language") for found_id, own in index.payloads()}

        wanted = {"en": "en", "de": "de", "ja": "ja", "declared": "fr-CA"}
        assert languages() == wanted
        old = {found_id: {"file": dict(own["file"])} for found_id, own in index.payloads()}
        for payload in old.values():
            del payload["file"]["language"]
        index.set_payloads(old)
        work = Refresh(index)
        summary = work.run(work.plan([], {}), lambda tokens: None)
        assert (summary.indexed, summary.unchanged) == (0, 4)  # nothing is read or encoded for it
        assert languages() == wanted | {"declared": "en"}
