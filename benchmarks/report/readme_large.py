"""The tables of bench_stores, bench_screen, bench_growth and bench_million."""

from collections.abc import Sequence
from typing import Any

Rows = Sequence[dict[str, Any]]

_KINDS = {
    "index": "`colibri.Index`, int8 rows",
    "edge, float32": "Edge, float32, exact",
    "edge, float16": "Edge, float16, exact",
    "edge, turbo8": "Edge, Turbo8, exact",
    "edge, two widths": "Edge, two widths",
    "edge, centroids": "Edge, Turbo8, centroids",
}


def stores(rows: Rows) -> str:
    """A line a store and number of passages, in the order of the numbers."""
    lines = [
        "| | ingest s (training) | p50 ms | best ten, best hundred found | RSS MB | disk MB |",
        "|---|" + "---|" * 5,
    ]
    for passages in sorted({row["passages"] for row in rows}):
        lines.append(f"| **{passages:,} passages** | | | | | |")
        for row in rows:
            if row["passages"] == passages:
                ingest = f"{row['ingest_seconds'] + row['optimise_seconds']:.0f}"
                trained = f" ({row['train_seconds']:.0f})" if row["train_seconds"] else ""
                found = f"{row['recall_10']:.1%}, {row['recall_100']:.1%}"
                sizes = f"{row['rss_mb']:,.0f} | {row['disk_mb']:,.0f}"
                lines.append(
                    f"| {_KINDS[row['store']]} | {ingest}{trained} | {row['p50_ms']:,.0f} | {found} | {sizes} |"
                )
    return "\n".join(
        [*lines, "", f"({_machine(rows)}; synthetic rows of 64 dims, 20 to 60 a passage, 32 query tokens.)"]
    )


def screen(rows: Rows) -> str:
    """A line a length of a query and number of threads; below it what was found and looked at."""
    lines = [
        "| query tokens, threads | sign bits first, ms (CPU) | every row | before sign bits | than before (CPU) |",
        "|---|" + "---|" * 4,
    ]
    for row in rows:
        if row["case"] == "timed":
            times = [
                f"{row['p50_ms'][way]:,.0f} ({row['cpu_ms'][way]:,.0f})" for way in ("screened", "exact", "before")
            ]
            faster = f"{row['x']['before']['ms']:.1f} x ({row['x']['before']['cpu']:.1f} x)"
            lines.append(f"| {row['tokens']}, {row['threads']} | {' | '.join(times)} | {faster} |")
    kept, looked = (next(row for row in rows if row["case"] == case) for case in ("kept", "touched by one search"))
    rounds = next(row["rounds"] for row in rows if row["case"] == "timed")
    about = [
        f"({_machine(rows)}; {kept['passages']:,} passages of 40 rows of 64 dims, int8, {kept['real']:,} of them real,",
        f"the others made of runs of their rows; k = 10, medians of {rounds} in turns.",
        f"Of {kept['questions']:,} questions {kept['kept']:.2%} of the exact ten were found,",
        f"all ten for {kept['all_ten']:.1%}, {kept['worst']:.0%} at worst.",
        f"A first search looks at {looked['share']:.0%} of what a scan reads, in pages of 4 KB,",
        f"the hardest of nine at {looked['most']:.0%}.)",
    ]
    return "\n".join([*lines, "", " ".join(about)])


def growth(rows: Rows) -> str:
    """A line a size, and how closely scores lie."""
    titles = (
        "first search, cold: ms, MB read | p50 (p99) ms, 10 tokens | 32 tokens | MB: disk, own, mapped | rows added/s"
    )
    lines = [f"| passages | {titles} |", "|---|" + "---|" * 5]
    for row in rows:
        if row["case"] == "growth":
            cold, short, long = row["cold"], row["10 tokens"], row["32 tokens"]
            times = [f"{one['p50_ms']:,.0f} ({one['p99_ms']:,.0f})" for one in (short, long)]
            held = f"{row['built']['disk_mb']:,.0f}, {row['memory_mb']['own']:,.0f}, {row['memory_mb']['files']:,.0f}"
            first = f"{cold['first_ms']:,.0f}, {cold['read_mb']:,.0f}"
            added = row["built"]["rows_per_s"]
            speed = "" if added is None else f"{added:,.0f}"
            lines.append(f"| {row['passages']:,} | {first} | {' | '.join(times)} | {held} | {speed} |")
    gap = next(row for row in rows if row["case"] == "gap")
    fall = {name: f"{share:.1%}" for name, share in gap["fall"].items()}
    sizes = [row for row in rows if row["case"] == "growth"]
    many = ", ".join(f"{row['times']} for {row['passages']:,}" for row in sizes if row["times"] > 20)
    row = sizes[-1]
    most = f"each row in 20 passages at most{f' ({many})' if many else ''}"
    about = (
        f"({_machine(rows)}, two threads; {row['rows']} rows of 64 dims, 20 to 40 a passage, made of runs of 5 to 15 "
        f"rows of {row['real']:,} real passages, {most}. From the 10th to the 100th best the score falls by "
        f"{fall['made']} of itself among {gap['passages']:,} made passages, by {fall['real']} among as many real ones.)"
    )
    return "\n".join([*lines, "", about])


_WAYS = {
    "colibri": "`colibri.Index`, int8 rows, sign bits first",
    "colibri, exact": "the same, `exact=True`",
    "lancedb, IVF_PQ, 20 probes, 10 refined": "LanceDB, IVF_PQ, 20 probes, refined 10 times",
    "lancedb, IVF_PQ, 100 probes, 100 refined": "LanceDB, IVF_PQ, 100 probes, refined 100 times",
    "lancedb, flat": "LanceDB, float16, every row",
    "edge, float16": "Edge, float16, every row",
    "edge, turbo8": "Edge, Turbo8, every row",
}


def million(rows: Rows) -> str:
    """A line a way of asking, with what its store took to make."""
    lines = ["| | made in s (its index) | disk MB | p50 (most) ms | of the exact ten | RSS MB |", "|---|" + "---|" * 5]
    made = {row["store"]: row for row in rows if "store" in row}
    ways = [row for row in rows if "way" in row]
    for row in sorted(ways, key=lambda row: list(_WAYS).index(row["way"])):
        store = made[next(name for name in made if row["way"].startswith(name))]
        index = f" ({store['index_s']:,.0f})" if store["index_s"] else ""
        took = f"{row['p50_ms']:,.0f} ({row['max_ms']:,.0f}) | {row['kept']:.1%} | {row['rss_mb']:,.0f}"
        lines.append(f"| {_WAYS[row['way']]} | {store['ingest_s']:,.0f}{index} | {store['disk_mb']:,.0f} | {took} |")
    for name, row in made.items():
        if "not_within_minutes" in row:
            lines.append(f"| {name} | not within {row['not_within_minutes']:.0f} minutes | | | | |")
    first = ways[0]
    about = (
        f"({_machine(rows)}, what threads each takes by itself; the passages of the table above, {first['tokens']} "
        f"query tokens, {first['questions']} questions in turns, of which the first warms up{_apart(ways)}. "
        "The ten are those of `exact=True` over int8 rows, which the others got as floats. RSS counts pages of files.)"
    )
    return "\n".join([*lines, "", about])


def _apart(ways: Rows) -> str:
    """Those that were asked in a run of their own, as one that reads all it has from disk leaves no page to others."""
    own = [row for row in ways if row["questions"] != ways[0]["questions"]]
    return "".join(f"; {_WAYS[row['way']]} in a run before it, {row['questions']}" for row in own)


def _machine(rows: Rows) -> str:
    machine = rows[0]["machine"]
    return f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}"
