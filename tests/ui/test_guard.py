"""Nobody but the page itself, opened by whoever has the token, gets anything."""

import re
from pathlib import Path

import pytest

import colibri.ui
from colibri.server import Problem
from colibri.ui import Guard
from ui_server import UiServer

ROUTES = [("GET", "state"), ("GET", "passed-over")]
_NAMES = "search passage open reveal pause resume look add forget code"
ROUTES += [("POST", name) for name in _NAMES.split()]


@pytest.mark.parametrize(("method", "route"), ROUTES)
@pytest.mark.parametrize("token", [None, "x" * 43, "ü"], ids=["none", "another", "not ascii"])
def test_every_route_wants_the_token(page: UiServer, method: str, route: str, token: str | None) -> None:
    headers = {"X-Colibri-Token": "ü".encode().decode("latin-1")} if token == "ü" else None
    answer = page.api(route, {} if method == "POST" else None, token=None if headers else token, headers=headers)
    assert (answer.status, answer.json["code"]) == (401, "UI_TOKEN_WANTED")
    assert page.token not in answer.body.decode()


def test_every_route_is_among_them() -> None:
    source = (Path(str(colibri.ui.__file__)).parent / "routes.py").read_text(encoding="utf-8")
    assert sorted(re.findall(r'self\._api\("(\w+)", "([\w-]+)"', source)) == sorted([*ROUTES, ("POST", "enter")])


def test_a_code_is_good_once(page: UiServer) -> None:
    code = page.api("code", {}).json["code"]
    assert page.api("enter", {"code": code}, token=None).json == {"token": page.token}
    for spoilt in (code, code[:-1], "", "x" * 43):
        answer = page.api("enter", {"code": spoilt}, token=None)
        assert (answer.status, answer.json["code"]) == (401, "UI_TOKEN_WANTED")
        assert page.token not in answer.body.decode()


def test_a_code_is_good_for_a_minute() -> None:
    now = [0.0]
    guard = Guard(token="t", hosts=None, clock=lambda: now[0])
    codes = [guard.new_code() for _ in range(30)]
    assert guard.exchange(codes[-1]) == "t"
    with pytest.raises(Problem):  # of too many the first are forgotten
        guard.exchange(codes[0])
    now[0] = 61
    with pytest.raises(Problem):
        guard.exchange(codes[-2])


def test_a_key_of_another_user_or_a_guess_says_nothing_of_the_token(page: UiServer) -> None:
    answers = {page.api("state", token=page.token[:cut] + "x" * (43 - cut)).json["detail"] for cut in (0, 20, 42)}
    assert len(answers) == 1


def test_the_token_counts_in_its_header_alone(page: UiServer) -> None:
    for headers in ({"Cookie": f"token={page.token}"}, {"Authorization": f"Bearer {page.token}"}):
        assert page.api("state", token=None, headers=headers).status == 401
    assert page.call(f"/ui/api/state?token={page.token}", token=None).status == 401


def test_other_origins_are_refused_even_with_the_token(page: UiServer) -> None:
    own = f"http://{page.host}:{page.port}"
    others = ["http://evil.example", f"http://{page.host}:{page.port + 1}", f"https://{page.host}:{page.port}", "null"]
    others += [
        f"{own}.evil.example",
        f"http://localhost:{page.port}",
        f"{own}/",
        f"http://x@{page.host}:{page.port}",
        "",
    ]
    for path in ("/ui/", "/ui/index.html", "/ui/api/state"):
        for origin in others:
            answer = page.call(path, headers={"Origin": origin})
            assert (answer.status, answer.json["code"]) == (403, "UI_FORBIDDEN"), (path, origin)
        assert page.call(path, headers={"Origin": own}).status == 200


def test_other_hosts_and_other_ports_are_refused(page: UiServer) -> None:
    for host in ("evil.example", f"evil.example:{page.port}", page.host, f"{page.host}:{page.port + 1}", "a b"):
        assert page.call("/ui/", host=host).status in {400, 403}, host
        assert page.api("state", host=host).status in {400, 403}, host
    for name in ("localhost", "LOCALHOST", "[::1]", "127.0.0.1"):
        assert page.api("state", host=f"{name}:{page.port}").status == 200


def test_what_is_not_there_is_told_of_the_page_and_of_nothing_that_it_lacks(page: UiServer) -> None:
    """`colibri serve` has keys, --without-keys and /openapi.json; this has not."""
    for path, host, status in (("/nothing", None, 404), ("/openapi.json", None, 404), ("/x", "evil.example", 421)):
        answer = page.call(path, host=host)
        assert answer.status == status
        assert not re.search("openapi|keys", answer.json["detail"]), answer.json
        assert re.search("/ui/|127.0.0.1 and localhost", answer.json["detail"])


def test_requests_that_other_sites_cause_are_refused(page: UiServer) -> None:
    for site in ("cross-site", "same-site", "same-origin, cross-site", "", "None"):
        assert page.api("state", headers={"Sec-Fetch-Site": site}).status == 403, site
    for site in ("same-origin", "none"):
        assert page.api("state", headers={"Sec-Fetch-Site": site}).status == 200


def test_no_answer_sets_a_cookie_or_lets_another_origin_read(page: UiServer) -> None:
    for answer in (page.call("/ui/"), page.api("state"), page.api("state", token=None), page.call("/ui/nothing")):
        assert "set-cookie" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("access-control-")]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_preflight_gets_no_leave(page: UiServer) -> None:
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Headers": "x-colibri-token"}
    assert page.api("search", method="OPTIONS", headers=headers, token=None).status == 403
    assert page.api("search", method="OPTIONS", token=None).status in {401, 405}


def test_a_form_or_a_plain_text_of_another_page_is_no_request(page: UiServer) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        assert page.api("search", b'{"query": "x"}', headers={"Content-Type": kind}).status == 415
