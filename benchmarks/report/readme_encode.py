"""The tables of bench_encode."""

from collections.abc import Sequence
from typing import Any

Rows = Sequence[dict[str, Any]]

_BACKBONES = {"mini-backbone": "colibri-mini's 12 x 384", "tiny-random-rotary-4x1024": "4 x 1,024 rotary, random"}


def encode(rows: Rows) -> str:
    """All of bench_encode: both engines, cold starts, and a long document."""
    lines = [
        "| backbone | engine | documents/s | x FastEmbed | x its best batch | CPU ms each "
        "| query p50 (p99) ms | x FastEmbed |",
        "|---|---|---|---|---|---|---|---|",
    ]
    starts = [
        "",
        "| cold start | ms | imports | load | first query | RSS MB | x FastEmbed |",
        "|---|---|---|---|---|---|---|",
    ]
    long = [
        "",
        "| 8,192 tokens, 12 x 384 rotary | seconds | loaded MB | above it | afterwards |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        kind, _, option = row.get("engine", "").partition(":")
        engine = option if kind == "colibri" else f"FastEmbed, batch {option}"
        backbone = _BACKBONES.get(row["model"], "")
        if row["case"] == "throughput":
            every = f" ({row['of_all_documents']:.1f})" if row.get("of_all_documents") else ""
            documents = (
                f"{row['documents_per_second']:.1f}{every} | {row['ratio_default_batch']} | {row['ratio_best_batch']}"
            )
            documents += f" | {row['cpu_ms_per_document']}"
            query = f"{row['query_p50_ms']:.1f} ({row['query_p99_ms']:.0f}) | {row['query_ratio']}"
            lines.append(f"| {backbone} | {engine} | {documents} | {query} |")
        elif row["case"] == "cold start":
            parts = " | ".join(str(ms) for ms in row["parts_ms"].values())
            starts.append(f"| {backbone}, {engine} | {row['total_ms']} | {parts} | {row['rss_mb']} | {row['ratio']} |")
        elif row["case"] == "long document":
            figures = (row["seconds"], row["before_mb"], row["above_mb"], row["after_mb"])
            long.append(f"| {engine} | {' | '.join(map(str, figures))} |")
    return "\n".join([*lines, *_products(rows), *starts, *long, "", *_measured_on(rows)])


def _measured_on(rows: Rows) -> list[str]:
    """One line for all cases that were measured alike."""
    alike: dict[str, list[str]] = {}
    for row in rows:
        machine, several = row["machine"], f"{row['documents']} documents"
        if "shared" in row:
            several = f"{row['shared']} documents ({row['documents']} in brackets)"
        told = f"{machine['cpu']}, {machine['cores']} cores, Python {machine['python']}; {several}, "
        told += f"{row['queries']} queries, {row['rounds']} interleaved rounds; medians"
        case = f"{row['case']} of {_BACKBONES.get(row['model'], '12 x 384 rotary')}"
        cases = alike.setdefault(told, [])
        if case not in cases:
            cases.append(case)
    if len(alike) == 1:
        return [f"({next(iter(alike))}.)"]
    return [f"({'; '.join(cases)}: {told}.)" for told, cases in alike.items()]


def _products(rows: Rows) -> list[str]:
    """Where the time of cpu-int8 goes, by length."""
    found = [row for row in rows if row["case"] == "products"]
    kinds = list(found[0]["lengths"][0]["ms"]) if found else []
    lines = [
        "",
        f"| cpu-int8, ms of one thread | {' | '.join(kinds)} | GOP/s of products |",
        "|---" * (len(kinds) + 2) + "|",
    ]
    for row in found:
        for length in row["lengths"]:
            cells = " | ".join(f"{ms:.1f}" for ms in length["ms"].values())
            lines.append(f"| {_BACKBONES[row['model']]}, {length['tokens']} tokens | {cells} | {length['gops']} |")
    for row in found[:1]:
        peaks = ", ".join(f"{name} {peak['median']:,}" for name, peak in row["peak_gops"].items())
        lines += ["", f"What this core's instructions can do (GOP/s): {peaks}."]
    return lines if found else []
