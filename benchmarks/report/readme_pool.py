"""The table of bench_pool."""

from collections.abc import Sequence
from typing import Any

Rows = Sequence[dict[str, Any]]


def pool(rows: Rows) -> str:
    """By set at the smallest width, then means at each: nDCG@10 of a row a token, and of each way of pooling how many
    points it is off and which share of the best ten it keeps."""
    ways = list(dict.fromkeys((row["way"], row["pool"]) for row in rows))
    dims = sorted({row["dim"] for row in rows})
    sets = list(dict.fromkeys(row["set"] for row in rows))
    titles = [f"{way.capitalize()} {count}" for way, count in ways]
    lines = [f"| nDCG@10 (best ten kept), {dims[0]} dims | a row a token | {' | '.join(titles)} |"]
    lines.append("|---|---|" + "---|" * len(ways))

    def line(title: str, own: Rows) -> str:
        by_way = [[row for row in own if (row["way"], row["pool"]) == way] for way in ways]
        changes = [_mean(few, lambda row: row["ndcg"] - row["unpooled"]) for few in by_way]
        kept = [_mean(few, lambda row: row["overlap"]) for few in by_way]
        cells = [f"{change:+.3f} ({share:.0%})" for change, share in zip(changes, kept, strict=True)]
        return f"| {title} | {_mean(by_way[0], lambda row: row['unpooled']):.3f} | {' | '.join(cells)} |"

    lines += [line(name, [row for row in rows if (row["set"], row["dim"]) == (name, dims[0])]) for name in sets]
    for dim in dims:
        title = f"mean of {len(sets)} sets" + ("" if dim == dims[0] else f", {dim} dims")
        lines.append(line(title, [row for row in rows if row["dim"] == dim]))
    small = [[row for row in rows if (row["way"], row["pool"], row["dim"]) == (*way, dims[0])] for way in ways]
    sizes = [f"{_mean(few, lambda row: row['bytes_a_token']):.0f}" for few in small]
    lines.append(f"| bytes a token, rows and scales | {dims[0] + 4} | {' | '.join(sizes)} |")
    times = [
        f"{1_000 * _mean(few, lambda row: row['ms_a_document'] * row['documents'] / row['tokens']):.0f}"
        for few in small
    ]
    lines.append(f"| CPU us a token | | {' | '.join(times)} |")
    machine = rows[0]["machine"]
    asked = sum(row["queries"] for row in small[0])
    where = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, with other work beside"
    return "\n".join([*lines, "", f"({asked:,} questions, int8 rows, exact MaxSim; {where}.)"])


def _mean(rows: Rows, figure: Any) -> float:
    return float(sum(map(figure, rows)) / len(rows))
