"""Two parts of a search at once."""

import threading

import pytest

from colibri.index.beside import at_once


def test_both_are_given_and_the_second_has_a_thread_of_its_own() -> None:
    started = threading.Event()

    def here() -> str:
        assert started.wait(10), "the other one waits for this one"
        return threading.current_thread().name

    def beside() -> str:
        started.set()
        return threading.current_thread().name

    first, second = at_once(here, beside)
    assert first == threading.current_thread().name != second


def test_what_either_raises_is_raised_and_the_other_has_ended() -> None:
    ended = []

    def fails() -> None:
        raise ValueError("this one")

    with pytest.raises(ValueError, match="this one"):
        at_once(fails, lambda: ended.append(1))
    assert ended == [1]
    with pytest.raises(ValueError, match="this one"):
        at_once(lambda: ended.append(2), fails)
    assert ended == [1, 2]
    assert not [one for one in threading.enumerate() if one.name == "colibri-search"]


def test_where_no_thread_can_be_had_one_follows_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    assert at_once(lambda: 1, lambda: 2) == (1, 2)
