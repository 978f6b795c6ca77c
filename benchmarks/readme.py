"""Write the measured tables into README.md and the model card from benchmarks/results/*.jsonl.

python benchmarks/bench_quality.py ... --json benchmarks/results/quality.jsonl
python benchmarks/bench_cold_start.py --json benchmarks/results/cold_start.jsonl
python benchmarks/readme.py
"""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = Path(__file__).parent / "results"
Rows = Sequence[dict[str, Any]]


def quality(rows: Rows) -> str:
    """nDCG@10 by set: BM25, dense, and cpu-int8 at every dim, with cpu-fp32 in the last row's brackets."""
    dims = sorted((int(dim) for dim in rows[0]["maxsim"]["cpu-int8"]), reverse=True)
    lines = [
        f"| nDCG@10 | BM25 | dense 384 | {' | '.join(f'MaxSim {dim}' for dim in dims)} |",
        "|---|" + "---|" * (len(dims) + 2),
    ]
    for row in rows:
        cells = [row["bm25"], row["dense"], *(row["maxsim"]["cpu-int8"][str(dim)] for dim in dims)]
        lines.append(f"| {row['set']} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")

    def mean(pick: Callable[[dict[str, Any]], float]) -> str:
        return f"{sum(map(pick, rows)) / len(rows):.3f}"

    means = [mean(lambda row: row["bm25"]), mean(lambda row: row["dense"])]
    means += [
        f"{mean(lambda row, d=dim: row['maxsim']['cpu-int8'][str(d)])} "  # type: ignore[misc]
        f"({mean(lambda row, d=dim: row['maxsim']['cpu-fp32'][str(d)])})"  # type: ignore[misc]
        for dim in dims
    ]
    lines.append(f"| mean (float32) | {' | '.join(means)} |")
    return "\n".join(lines)


def cold_start(rows: Rows) -> str:
    """Milliseconds and peak memory of one `colibri rerank` in a fresh process, whole and in parts."""
    lines = ["| fresh process | median ms | peak RSS MB |", "|---|---|---|"]
    lines += [f"| {row['case']} | {row['median_ms']:.0f} | {row['peak_rss_mb']:.0f} |" for row in rows]
    machine = rows[0]["machine"]
    lines += ["", f"({machine['cpu']}, {machine['cores']} cores, Python {machine['python']}, {rows[0]['runs']} runs.)"]
    return "\n".join(lines)


TABLES = {"quality": quality, "cold_start": cold_start}
PAGES = ("README.md", "models/colibri-mini/README.md")


def filled(page: str) -> str:
    """The page with every `<!-- table: NAME -->` block made anew from its results."""
    for name, table in TABLES.items():
        lines = (RESULTS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
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
