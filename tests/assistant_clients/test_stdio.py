"""`colibri mcp` on stdin and stdout, by the protocol's own client and by bare lines."""

import asyncio
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from assistant_clients.conftest import BIRDS, TINY
from colibri import Index

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def parameters(words: list[str]) -> StdioServerParameters:
    return StdioServerParameters(command=words[0], args=words[1:])


def started(words: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


def ask(process: subprocess.Popen[str], message: dict[str, Any]) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(message) + "\n")
    process.stdin.flush()
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def test_every_tool_by_the_protocols_own_client(words: list[str]) -> None:
    async def talk() -> None:
        began = time.perf_counter()
        async with Client(parameters(words)) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            told = time.perf_counter() - began
            assert set(tools) == {"search", "read_passage", "list_indexes"}
            for tool in tools.values():
                assert tool.annotations is not None
                assert tool.annotations.read_only_hint
                assert tool.output_schema is not None
            listed = await client.call_tool("list_indexes", {"any": "-"})  # some clients make one up
            assert listed.structured_content is not None
            assert [one["name"] for one in listed.structured_content["indexes"]] == ["birds", "bread"]
            found = await client.call_tool("search", {"query": "a bird", "index": "birds", "k": 1})
            print(f"tools after {told:.2f} s, the first search after {time.perf_counter() - began:.2f} s")
            assert not found.is_error
            assert found.structured_content is not None
            (one,) = found.structured_content["results"]
            read = await client.call_tool("read_passage", {"id": "birds", "index": "birds", "start": 3})
            assert read.structured_content is not None
            assert read.structured_content["text"] == BIRDS
            assert BIRDS in read.content[0].text
            for passage in one["passages"]:
                assert passage["end"] > passage["start"]

    asyncio.run(talk())


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("search", {"query": "bird"}, "index: not said; there is 'birds', 'bread'"),
    ("search", {"query": "bird", "index": "other"}, "index 'other': no such index; there is 'birds', 'bread'"),
    ("search", {"query": " ", "index": "birds"}, "empty"),
    ("search", {"query": "x", "index": "birds", "k": 99}, "k: found 99; wanted a whole number from 1 to 20"),
    ("search", {"query": "x", "index": "birds", "k": 0}, "k: found 0; wanted a whole number from 1 to 20"),
    ("search", {"query": "x", "index": "birds", "k": 10**40}, "wanted a whole number from 1 to 20"),
    ("search", {"query": "x", "index": "birds", "k": 2.5}, "k: found 2.5; wanted a whole number from 1 to 20"),
    ("search", {"query": "x", "index": "birds", "k": "many"}, 'k: found "many"; wanted a whole number from 1 to 20'),
    ("search", {"query": "x" * 4_001}, "query: found 4,001 characters; wanted text of up to 4,000 characters"),
    ("search", {"query": ["x"], "k": None}, 'query: found ["x"]; wanted text of up to 4,000 characters\nk: found null'),
    ("search", {"query": "x", "index": 7}, "index: found 7; wanted text"),
    ("search", {"query": "x", "index": "birds", "where": "year"}, 'where: found "year"; wanted an object'),
    ("search", {"index": "birds"}, "query: missing, and required; wanted text of up to 4,000 characters"),
    ("search", {"query": "x", "index": "birds", "limit": 1}, "limit: no argument of search; it takes query, index, k"),
    ("search", {"q": "x", "index": "birds", "in": 1}, "takes query, index, k, where\nin: no argument"),
    ("search", {"query": "x", "x" * 99: 1}, f"{'x' * 39}…: no argument of search; it takes query, index, k, where"),
    ("search", {"query": "x", "index": "birds", "where": {"$near": 1}}, "unknown operator $near"),
    ("read_passage", {"id": "none", "index": "birds"}, "take an id that `search` gave"),
    ("read_passage", {"id": "birds", "index": "birds", "start": 9_999}, "a start below"),
    ("read_passage", {"id": "birds", "start": -1}, "start: found -1; wanted a whole number from 0"),
    ("read_passage", {"id": "birds", "end": -1}, "end: found -1; wanted a whole number from 0"),
    ("read_passage", {"id": "birds", "neighbours": 21}, "neighbours: found 21; wanted a whole number from 0 to 20"),
    ("read_passage", {"index": "birds"}, "id: missing, and required; wanted text"),
    ("delete", {"id": "birds"}, "Unknown tool"),
]


def test_an_error_says_what_to_do(words: list[str]) -> None:
    async def talk() -> list[tuple[bool, str]]:
        async with Client(parameters(words)) as client:
            answers = [await client.call_tool(tool, given) for tool, given, _ in WRONG]
            return [(bool(answer.is_error), str(answer.content[0].text)) for answer in answers]

    for (is_error, text), (_, _, said) in zip(asyncio.run(talk()), WRONG, strict=True):
        assert is_error
        assert said in text
        assert "pydantic" not in text


def test_it_answers_before_the_model_is_loaded(places: list[Path], tmp_path: Path) -> None:
    """With weights that are gone, all but a search works, and the search says what is missing."""
    artefact = Path(shutil.copytree(TINY, tmp_path / "model"))
    with Index.open(tmp_path / "some", artefact) as index:
        index.add([{"id": "bird", "text": BIRDS}])
    for weights in artefact.glob("*.bin"):
        weights.unlink()
    words = [sys.executable, "-m", "colibri", "mcp", "--index", str(tmp_path / "some")]

    async def talk() -> str:
        async with Client(parameters(words)) as client:
            read = await client.call_tool("read_passage", {"id": "bird"})
            assert not read.is_error
            listed = await client.call_tool("list_indexes", {})
            assert listed.structured_content is not None
            assert listed.structured_content["indexes"][0]["documents"] == 1
            found = await client.call_tool("search", {"query": "bird"})
            assert found.is_error
            return str(found.content[0].text)

    assert ".bin" in asyncio.run(talk())


def test_stdout_is_the_protocols_alone_and_the_end_of_stdin_ends_it(words: list[str]) -> None:
    process = started([*words[:3], "--verbose", *words[3:]])
    answer = ask(process, HELLO)
    assert answer["result"]["serverInfo"]["name"] == "colibri"
    assert process.stdin is not None
    calls = [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "search", "arguments": {"query": "bird", "index": "birds"}},
        },
    ]
    process.stdin.write("not json\n" + "".join(json.dumps(call) + "\n" for call in calls))
    process.stdin.flush()
    assert process.stdout is not None
    lines: list[dict[str, Any]] = []
    while not any(line.get("id") == 2 for line in lines):
        lines.append(json.loads(process.stdout.readline()))
    process.stdin.close()
    rest = process.stdout.read()
    assert process.wait(60) == 0
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in rest.splitlines())
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_while_it_waits(words: list[str], number: int, code: int) -> None:
    process = started(words)
    ask(process, HELLO)
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in said


def test_an_index_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "colibri", "mcp", "--index", str(tmp_path / "none")]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert "no index there" in done.stderr
