"""Draw the house: rooms, and who imports whom, on floors that each stand above all they import.

    python3 run.py map          writes docs/house.svg
    python3 run.py map --check  says 1 when the drawing is not what the code is

A room is a wing (a folder of runtime/colibri), a module beside the wings, the exporter or the kernels' builder as a
whole. Imports inside functions and under TYPE_CHECKING count as any other. An arrow that others imply (a imports b, b
imports c, a imports c) is left out of the drawing, not out of the count.
"""

import ast
import sys
from collections.abc import Mapping
from html import escape
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("runtime", "export")
DRAWING = ROOT / "docs" / "house.svg"

Graph = dict[str, set[str]]
Stop = str | tuple[str, str, int]
"""A room, or where an arrow from one to another crosses a floor."""

_WIDTH, _HEIGHT, _GAP, _FLOOR, _MARGIN = 128, 40, 18, 84, 24
_SWEEPS = 12
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1c2733; text-anchor: middle }
.small { font-size: 10px; fill: #5b6b7b }
rect { fill: #eef4fb; stroke: #6b8cae } .module { fill: #fbf6ea; stroke: #b59b5b }
path { fill: none; stroke: #8a99a8; stroke-width: 1.2 } marker path { fill: #8a99a8; stroke: none }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .small { fill: #9fb0c0 } rect { fill: #1d2b3a; stroke: #6b8cae }
.module { fill: #332c1b; stroke: #b59b5b } }
"""


def modules(root: Path = ROOT) -> dict[str, Path]:
    """Dotted name -> file, of both source roots."""
    found = {}
    for source in SOURCES:
        for path in sorted((root / source).rglob("*.py")):
            parts = path.relative_to(root / source).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(root: Path = ROOT) -> Graph:
    """Module -> modules of ours that it imports anywhere in its text."""
    known = modules(root)
    return {name: _imported(path, known) - {name} for name, path in known.items()}


def _imported(path: Path, known: Mapping[str, Path]) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:  # a module of that name, else a name in the module
                inner = f"{node.module}.{alias.name}"
                names.add(inner if inner in known else node.module)
    return names & known.keys()


def circles(graph: Graph) -> list[list[str]]:
    """Groups of modules that import each other in a circle."""
    reach = {name: _reachable(graph, name) for name in graph}
    groups = {
        frozenset(other for other in reach[name] if name in reach[other]) for name in graph if name in reach[name]
    }
    return sorted(sorted(group) for group in groups)


def _reachable(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def rooms(graph: Graph) -> Graph:
    """Room -> rooms that it imports from."""
    found: Graph = {_room(name): set() for name in graph}
    for name, imported in graph.items():
        found[_room(name)] |= {_room(other) for other in imported} - {_room(name)}
    return found


def _room(module: str) -> str:
    parts = module.split(".")
    if parts[0] == "haystack_integrations":  # a part of compat that has to live there
        return "compat"
    if parts[0] in {"colibri_export", "colibri_kernels"}:  # each a room as a whole
        return parts[0]
    return parts[1] if len(parts) > 1 else "colibri"


def floors(graph: Graph) -> list[list[str]]:
    """Rooms of each floor, the ground first. Raises ValueError where rooms stand on each other in a circle."""
    if found := circles(graph):
        raise ValueError(f"rooms import each other: {found}")
    level: dict[str, int] = {}
    while len(level) < len(graph):
        for room in sorted(graph.keys() - level.keys()):
            if graph[room] <= level.keys():
                level[room] = max((level[other] + 1 for other in graph[room]), default=0)
    return [sorted(room for room in graph if level[room] == floor) for floor in range(max(level.values()) + 1)]


def summary(graph: Graph) -> str:
    """The house in one line."""
    return f"{len(graph)} rooms, {len(floors(graph))} floors, {sum(map(len, graph.values()))} arrows"


def drawing(root: Path = ROOT) -> str:
    """The SVG."""
    graph, wings = (
        rooms(imports(root)),
        {path.name for path in (root / "runtime" / "colibri").iterdir() if path.is_dir()},
    )
    storeys, ways = _laid_out(graph)
    width = max(map(_storey_width, storeys)) + 2 * _MARGIN
    height = len(storeys) * _FLOOR + _MARGIN + 20
    centre: dict[Stop, tuple[float, float]] = {}
    for floor, storey in enumerate(storeys):
        left = (width - _storey_width(storey)) / 2
        for stop in storey:
            centre[stop] = (left + _stop_width(stop) / 2, height - 40 - floor * _FLOOR - _HEIGHT / 2)
            left += _stop_width(stop) + _GAP
    shapes = [_arrow([centre[stop] for stop in way]) for way in ways]
    shapes += [_box(room, *centre[room], wing=room in wings) for room in graph]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" role="img" '
        'aria-label="Colibri\'s rooms">\n'
        f"<style>{_STYLE}</style>\n"
        '<marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z"/></marker>\n'
        + "\n".join(shapes)
        + f'\n<text class="small" x="{width / 2:g}" y="{height - 8}">{summary(graph)}; blue: wings, sand: modules. '
        "An arrow that others imply is not drawn.</text>\n</svg>\n"
    )


def _laid_out(graph: Graph) -> tuple[list[list[Stop]], list[list[Stop]]]:
    """What stands on each floor, from left to right, and the way of each arrow: where it crosses a floor, it has a
    place of its own there, so that it passes no room that it does not mean."""
    storeys: list[list[Stop]] = [list(storey) for storey in floors(graph)]
    level = {room: floor for floor, storey in enumerate(storeys) for room in storey}
    ways: list[list[Stop]] = []
    for room in sorted(graph):
        for other in sorted(_needed(graph, room)):
            between: list[Stop] = [(room, other, floor) for floor in range(level[room] - 1, level[other], -1)]
            for stop in between:
                storeys[int(stop[2])].append(stop)
            ways.append([room, *between, other])
    beside: dict[Stop, list[Stop]] = {stop: [] for storey in storeys for stop in storey}
    for way in ways:
        for upper, lower in pairwise(way):
            beside[upper].append(lower)
            beside[lower].append(upper)
    for _ in range(_SWEEPS):  # each towards the middle of what it is joined to
        place = {stop: (i + 0.5) / len(storey) for storey in storeys for i, stop in enumerate(storey)}
        for storey in storeys:
            storey.sort(key=lambda stop: sum(place[other] for other in beside[stop]) / max(len(beside[stop]), 1))
    return storeys, ways


def _stop_width(stop: Stop) -> int:
    return _WIDTH if isinstance(stop, str) else 2


def _storey_width(storey: list[Stop]) -> int:
    return sum(map(_stop_width, storey)) + _GAP * (len(storey) - 1)


def _needed(graph: Graph, room: str) -> set[str]:
    """What a room imports and no other of its imports leads to."""
    return {other for other in graph[room] if not any(other in _reachable(graph, via) for via in graph[room] - {other})}


def _arrow(stops: list[tuple[float, float]]) -> str:
    (x, y), *rest = stops
    y += _HEIGHT / 2
    curve = f"M{x:g} {y:g}"
    for number, (to_x, middle) in enumerate(rest, 1):
        to_y = middle - (_HEIGHT / 2 + 2)
        bend = (to_y - y) / 2
        curve += f"C{x:g} {y + bend:g} {to_x:g} {to_y - bend:g} {to_x:g} {to_y:g}"
        if number < len(rest):  # straight past the rooms of a floor
            to_y += _HEIGHT + 4
            curve += f"V{to_y:g}"
        x, y = to_x, to_y
    return f'<path d="{curve}" marker-end="url(#tip)"/>'


def _box(room: str, x: float, y: float, *, wing: bool) -> str:
    kind = "" if wing else ' class="module"'
    corner = f'x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}"'
    return (
        f'<rect{kind} {corner} width="{_WIDTH}" height="{_HEIGHT}" rx="6"/>'
        f'<text x="{x:g}" y="{y + 5:g}">{escape(room)}{"/" if wing else ""}</text>'
    )


def main(words: list[str]) -> int:
    """Write the drawing, or compare it."""
    if words not in ([], ["--check"]):
        sys.stderr.write("usage: run.py map [--check]\n")
        return 2
    found = drawing()
    if words:
        stale = not DRAWING.exists() or DRAWING.read_text(encoding="utf-8") != found
        sys.stderr.write("docs/house.svg is not what the code is: python3 run.py map\n" if stale else "")
        return int(stale)
    DRAWING.write_text(found, encoding="utf-8")
    sys.stdout.write(f"{DRAWING.relative_to(ROOT)}: {summary(rooms(imports()))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
