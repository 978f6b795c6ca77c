"""Write the measured tables into README.md and the model card from benchmarks/results/*.jsonl.

python3 run.py bench quality ... --json benchmarks/results/quality.jsonl
python3 run.py bench quality --stored ... --json benchmarks/results/stored.jsonl
python3 run.py bench maxsim --json benchmarks/results/maxsim.jsonl
python3 run.py bench cold_start --json benchmarks/results/cold_start.jsonl
python3 run.py bench dependencies --json benchmarks/results/dependencies.jsonl
python3 run.py bench export --work DIR --json benchmarks/results/export.jsonl
python benchmarks/report/readme.py
"""

import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1]))  # tests load this file by its path

from report.readme_encode import encode
from report.readme_large import growth, million, screen, stores
from report.readme_pool import pool

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parents[1] / "results"
Rows = Sequence[dict[str, Any]]


def quality(rows: Rows) -> str:
    """nDCG@10 by set: BM25, dense, whole rows, and cpu-int8 at every dim; below, queries in one language over documents
    in another. Whole rows' cell is empty where one of its sets was not measured."""
    return _quality(rows, lambda name: name)


def quality_summary(rows: Rows) -> str:
    """The same with one line for all languages of a collection."""
    return _quality(rows, lambda name: re.sub("-[a-z]{2}$", "", name))


def _quality(rows: Rows, group: Callable[[str], str]) -> str:
    sets, crossed = [row for row in rows if "bm25" in row], [row for row in rows if "bm25" not in row]
    dims = sorted((int(dim) for dim in sets[0]["maxsim"]["cpu-int8"]), reverse=True)
    with_raw = any(row.get("raw") is not None for row in sets)
    titles = ["BM25", "dense 384", *(["MaxSim 384"] if with_raw else []), *(f"MaxSim {dim}" for dim in dims)]
    lines = [f"| nDCG@10 | {' | '.join(titles)} |", "|---|" + "---|" * len(titles)]

    def mean(figures: Sequence[float | None]) -> str:
        known = [figure for figure in figures if figure is not None]
        return f"{sum(known) / len(known):.3f}" if len(known) == len(figures) else ""

    def line(name: str, rows: Rows, variant: str = "cpu-int8") -> str:
        whole = [[row.get("raw") for row in rows]] if with_raw else []
        columns = [[row["bm25"] for row in rows], [row["dense"] for row in rows], *whole]
        columns += [[row["maxsim"][variant][str(dim)] for row in rows] for dim in dims]
        return f"| {name} | {' | '.join(map(mean, columns))} |"

    for name in dict.fromkeys(group(row["set"]) for row in sets):
        own = [row for row in sets if group(row["set"]) == name]
        lines.append(line(name if len(own) == 1 else f"{name}, {len(own)} languages", own))
    lines.append(line(f"mean of {len(sets)} sets", sets))
    if all("cpu-fp32" in row["maxsim"] for row in sets):
        lines.append(line("mean, graphs in float32", sets, "cpu-fp32"))
    if crossed:
        blank = ["", f"{sum(row['dense'] for row in crossed) / len(crossed):.3f}", *([""] if with_raw else [])]
        cells = [f"{sum(row['maxsim'][str(dim)] for row in crossed) / len(crossed):.3f}" for dim in dims]
        lines.append(f"| mean of {len(crossed)} cross-lingual pairs | {' | '.join([*blank, *cells])} |")
    return "\n".join(lines)


def cold_start(rows: Rows) -> str:
    """One `colibri rerank` in a fresh process, in a sentence."""
    cases = {row["case"]: row for row in rows}
    first, end = cases["command: first line"], cases["command: exit"]
    return (
        "Start of `colibri rerank` with eight documents, files in the page cache: first line after "
        f"{first['median_ms']:.0f} ms, "
        f"exit after {end['median_ms']:.0f} ms, {end['peak_rss_mb']:.0f} MB at most."
    )


def cold_start_parts(rows: Rows) -> str:
    """The same in parts."""
    return _processes([row for row in rows if not row["case"].startswith("command")])


def _processes(rows: Rows) -> str:
    lines = ["| fresh process | median ms | peak RSS MB |", "|---|---|---|"]
    lines += [f"| {row['case']} | {row['median_ms']:.0f} | {row['peak_rss_mb']:.0f} |" for row in rows]
    return "\n".join([*lines, "", _machine(rows[0])])


def dependencies(rows: Rows) -> str:
    """What each distribution costs, in the order in which an installation grows, and what there is in all."""
    lines = ["| part | distribution | MB | files | import, CPU ms | asked for by |", "|---|---|---|---|---|---|"]
    for row in rows:
        if row["part"] == "total":
            lines.append(f"| | **{row['name']}** | **{row['mb']:.1f}** | | | |")
            continue
        part = row["part"] if row["part"] == "base" else f"[{row['part']}]"
        ms = "" if row["ms"] is None else f"{row['ms']:.0f}"
        files = "" if row["files"] is None else f"{row['files']:,}"
        lines.append(f"| {part} | `{row['name']}` | {row['mb']:.1f} | {files} | {ms} | {row['by'] or ''} |")
    return "\n".join([*lines, "", _machine(rows[0])])


def export(rows: Rows) -> str:
    """Seconds and memory of an export of jina-colbert-v2's size, and of the artefact in use."""
    cases = {row["case"]: row for row in rows}
    made, query, document = (
        cases[case] for case in ("export to cpu-int8", "one 32-token query", "one 8,192-token document")
    )
    above = f"{document['peak_rss_mb']:,.0f}, {document['above_loaded_mb']:.0f} above the loaded model"
    machine = made["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, {made['runs']} runs"
    lines = [f"| 559,497,216 parameters, cpu-int8 ({where}) | seconds | peak RSS MB |", "|---|---|---|"]
    lines += [f"| export; {made['artefact_mb']:.0f} MB on disk | {made['seconds']:.0f} | {made['peak_rss_mb']:,.0f} |"]
    lines += [f"| load | {cases['load']['seconds']:.1f} | {cases['load']['loaded_mb']:,.0f} |"]
    lines += [f"| a query of 32 tokens | {query['seconds']:.3f} | {query['peak_rss_mb']:,.0f} |"]
    lines += [f"| a document of 8,192 tokens | {document['seconds']:.0f} | {above} |"]
    return "\n".join(lines)


def stored(rows: Rows) -> str:
    """Means over sets by dim: nDCG@10 of rows stored as float32 and int8, and how many of the best 10 both find."""
    lines = [
        "| rows stored as | float32 | int8 | furthest set | same best 10 | MB of a million tokens |",
        "|---|" + "---|" * 5,
    ]
    for dim in sorted({row["dim"] for row in rows}, reverse=True):
        own = [row for row in rows if row["dim"] == dim]
        exact, near, overlap = (sum(row[key] for row in own) / len(own) for key in ("float32", "int8", "overlap"))
        furthest = max((row["int8"] - row["float32"] for row in own), key=abs)
        sizes = f"{4 * dim} and {dim + 4}"
        lines.append(f"| {dim} dims | {exact:.3f} | {near:.3f} | {furthest:+.3f} | {overlap:.1%} | {sizes} |")
    return "\n".join(lines)


def maxsim(rows: Rows) -> str:
    """Milliseconds of the collection that all peers score, on one thread, and one line on the other cases."""
    cases = {row["name"]: row for row in rows}
    dims = (128, 96, 64)
    lines = [
        f"| ms, one thread (GOP/s) | {' | '.join(f'{dim} dims' for dim in dims)} |",
        "|---|" + "---|" * len(dims),
    ]
    for who in cases["peers-128-1"]["figures"]:
        cells = [cases[f"peers-{dim}-1"]["figures"][who] for dim in dims]
        title = f"Colibri, {who}" if who.startswith(("int8", "float32")) else who
        row = " | ".join(f"{cell['median_ms']:.0f} ({cell['median_gops']:.0f})" for cell in cells)
        lines.append(f"| {title} | {row} |")
    peaks = [cases[f"peak-{dim}"]["figures"] for dim in (128, 64)]
    kernels = [name for name in peaks[0] if not name.endswith("registers")]
    shares = [
        f"{kernel} "
        + " and ".join(f"{found[kernel]['median_gops']:.0f}" for found in peaks)
        + " GOP/s, "
        + " and ".join(
            f"{found[kernel]['median_gops'] / found[f'{kernel} registers']['median_gops']:.0%}" for found in peaks
        )
        for kernel in kernels
    ]
    big = cases["large"]["figures"]
    twice = [
        f"{kernel} {big[f'{kernel} on 1']['median_ms'] / big[f'{kernel} on 2']['median_ms']:.2f} times"
        for kernel in (*(name for name in kernels if name != "float32"), "reading")
    ]
    both = [cases[f"peers-{dim}-2"]["figures"] for dim in dims]
    ratios = {
        peer: "/".join(f"{own[peer]['median_ms'] / own['int8']['median_ms']:.1f}" for own in both)
        for peer in ("maxsim-cpu", "NumKong")
    }
    times = [f"{ratio} times as fast as {peer}" for peer, ratio in ratios.items()]
    top, small = cases["scan"]["figures"]["int8 top 100"], cases["small"]["figures"]
    machine = rows[0]["machine"]
    lines += [
        "",
        f"On two threads int8 is {' and '.join(times)} (128/96/64 dims). "
        f"Best 100 of 100,000 documents (20-60 tokens, 64 dims), two threads: {top['median_ms']:.0f} ms. "
        f"10 documents of 100 tokens, 128 dims: {1e3 * small['int8']['median_ms']:.0f} us int8, "
        f"{1e3 * small['float32']['median_ms']:.0f} us float32. "
        f"At 128 and 64 dims on one thread, with shares of what a loop over registers does: {'; '.join(shares)}. "
        f"250 MB on two threads instead of one: {', '.join(twice)} as fast. "
        f"({machine['cpu']}, shared with other work, Python {machine['python']}, "
        f"medians of {rows[0]['rounds']} interleaved rounds.)",
    ]
    return "\n".join(lines)


def _machine(row: dict[str, Any]) -> str:
    machine = row["machine"]
    return f"({machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, {row['runs']} runs.)"


def search(rows: Rows) -> str:
    """The local index beside its peers, and what else it does."""
    cases = {row["case"]: row for row in rows}
    engines, opening, writing, million = (cases[name] for name in ("engines", "opening", "writing", "million"))
    titles = {"colibri": "Colibri", "edge-f32": "Qdrant Edge, float32", "edge-turbo8": "Qdrant Edge, Turbo8"}
    lines = [
        "| 100,000 passages of 20-60 tokens, 64 dims, exact, k=10 | p50 ms | p99 ms | x | same best 10 as float32 "
        "| MB on disk |",
        "|---|" + "---|" * 5,
    ]
    for name, figure in engines["figures"].items():
        lines.append(
            f"| {titles.get(name, 'LanceDB')} | {figure['p50_ms']:,.0f} | {figure['p99_ms']:,.0f} | {figure['x']:.0f} "
            f"| {engines['same_best_10'][name]:.0%} | {engines['disk_mb'][name]:,.0f} |"
        )
    lines += [
        "",
        "| the same index | |",
        "|---|---|",
        f"| open | {opening['open_ms']:.0f} ms |",
        f"| disk, ids and all | {opening['bytes_a_token']:.1f} bytes a token, {opening['index_mb']:.0f} MB |",
        f"| RSS of a process that searches | {opening['rss_mb']:.0f} MB, {opening['anonymous_mb']:.0f} without a file "
        "behind |",
        f"| add ready vectors | {writing['added_per_second']:,.0f} passages a second |",
        f"| delete 1,000 ids | {writing['delete_1000_ms']:.0f} ms |",
        f"| search p50, then with half of it deleted, then compacted (in {writing['compact_s']:.1f} s) | "
        f"{writing['p50_ms']:.0f}, {writing['half_p50_ms']:.0f}, {writing['compacted_p50_ms']:.0f} ms |",
        f"| {million['passages']:,.0f} passages of 20 tokens: search p50 (p99) | {million['p50_ms']:.0f} "
        f"({million['p99_ms']:.0f}) ms |",
        f"| the same: open, disk, RSS | {million['open_ms']:.0f} ms, {million['index_mb']:,.0f} MB, "
        f"{million['rss_mb']:,.0f} MB ({million['anonymous_mb']:.0f} without a file behind) |",
    ]
    machine = engines["machine"]
    where = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}; random unit rows"
    return "\n".join([*lines, "", f"({where}; medians of {engines['rounds']} interleaved rounds.)"])


def server(rows: Rows) -> str:
    """HTTP beside calls in a process: throughput by clients, and a line for each other case."""
    cases = {row["case"]: row for row in rows}
    lines = [
        "| clients x documents a request | documents/s | x the same calls in-process | x one call with all | "
        "CPU ms a document: server, in-process, client | p99 ms |",
        "|---|---|---|---|---|---|",
    ]
    throughput = [row for row in rows if row["case"] == "throughput"]
    rounds = sorted({row["rounds"] for row in throughput})
    for row in throughput:
        cpu = ", ".join(f"{row[f'{who}_cpu_ms']:.1f}" for who in ("server", "inside", "client"))
        lines.append(
            f"| {row['clients']} x {row['request_documents']} | {row['documents_per_second']:.0f} | "
            f"{row['ratio']:.2f} | {row['ratio_one_call']:.2f} | {cpu} | {row['p99_ms']:,.0f} |"
        )
    ranked, over, loris, held = (cases[case] for case in ("rerank", "overload", "slowloris", "memory"))
    machine = rows[0]["machine"]
    lines += [
        "",
        f"Rerank of 20 passages, p50: {ranked['p50_ms']:.0f} ms, {ranked['ratio']:.2f} x in-process. "
        f"Overload, {over['offered_per_second']:.0f} requests/s where {over['capacity_per_second']:.0f} are done: "
        f"{over['accepted']} taken, p99 {over['ratio']:.2f} x that of a full queue; {over['refused']} refused, "
        f"p50 {over['refused_p50_ms']:.0f} ms, p99 {over['refused_p99_ms']:.0f} ms. "
        f"Beside {loris['sockets']} connections that never finish their headers, p99 is {loris['ratio']:.2f} x. "
        f"2,048 documents as float, an answer of {held['answer_mb']} MB: {held['peak_above_mb']} MB at most. "
        f"({machine['cpu']}, {machine['cores']} cores, shared, client included, Python {machine['python']}, "
        f"medians of {' to '.join(map(str, rounds))} interleaved rounds of {throughput[0]['documents']} documents, "
        f"{max(row['others_cores'] for row in throughput):.2f} cores or less taken by other programs.)",
    ]
    return "\n".join(lines)


# Name of a table -> the results it is made of, and how.
TABLES: dict[str, tuple[str, Callable[[Rows], str]]] = {
    "quality": ("quality", quality),
    "quality_summary": ("quality", quality_summary),
    "cold_start": ("cold_start", cold_start),
    "cold_start_parts": ("cold_start", cold_start_parts),
    "dependencies": ("dependencies", dependencies),
    "export": ("export", export),
    "encode": ("encode", encode),
    "stored": ("stored", stored),
    "pool": ("pool", pool),
    "maxsim": ("maxsim", maxsim),
    "search": ("search", search),
    "server": ("server", server),
    "stores": ("stores", stores),
    "screen": ("screen", screen),
    "screen_vnni": ("screen_vnni", screen),
    "growth": ("growth", growth),
    "million": ("million", million),
}
PAGES = (
    "README.md",
    "models/colibri-mini/README.md",
    "benchmarks/README.md",
    "docs/dependencies.md",
    "docs/scoring.md",
    "docs/index.md",
    "docs/scale.md",
    "docs/server.md",
)


def filled(page: str) -> str:
    """The page with every `<!-- table: NAME -->` block made anew from its results."""
    for name, (results, table) in TABLES.items():
        lines = (RESULTS / f"{results}.jsonl").read_text(encoding="utf-8").splitlines()
        text = table([json.loads(line) for line in lines])
        block = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        page = re.sub(block, lambda found, text=text: f"{found[1]}{text}\n{found[2]}", page, flags=re.DOTALL)  # type: ignore[misc]
    return page


def main() -> None:
    """Rewrite the pages in place."""
    for name in PAGES:
        path = ROOT / name
        path.write_text(filled(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
