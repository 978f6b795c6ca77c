"""The house is in order: no circle of imports anywhere, doors that hand on what they say, a drawing that is true."""

import ast
import subprocess
import sys
from importlib import import_module, util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
WINGS = sorted(path.parent.name for path in (ROOT / "runtime" / "colibri").glob("*/__init__.py"))
# `cli` hands on its entry point and nothing else; the others' names are loaded when they are first used.
DOORS = [wing for wing in WINGS if wing != "cli"]


def loaded(path: Path) -> Any:
    spec = util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


house = loaded(ROOT / "docs" / "house.py")


def tree(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports inside functions and under TYPE_CHECKING count: what only runs later is a circle all the same."""
    graph = house.imports()
    assert len(graph) > 150
    assert house.circles(graph) == []
    assert house.circles(house.rooms(graph)) == []


def test_the_walk_sees_every_way_to_import(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "runtime/colibri/__init__.py": "",
            "runtime/colibri/a.py": "import typing\nif typing.TYPE_CHECKING:\n    from colibri.b import B\n",
            "runtime/colibri/b/__init__.py": "def late() -> None:\n    from colibri.b import inner\n",
            "runtime/colibri/b/inner.py": "import colibri.a, json\nfrom colibri import c as d\n",
            "runtime/colibri/c.py": "",
            "export/colibri_export/__init__.py": "try:\n    from colibri.b.inner import x\nfinally:\n    pass\n",
        },
    )
    graph = house.imports(root)
    assert graph == {
        "colibri": set(),
        "colibri.a": {"colibri.b"},
        "colibri.b": {"colibri.b.inner"},
        "colibri.b.inner": {"colibri.a", "colibri.c"},
        "colibri.c": set(),
        "colibri_export": {"colibri.b.inner"},
    }
    assert house.circles(graph) == [["colibri.a", "colibri.b", "colibri.b.inner"]]
    with pytest.raises(ValueError, match="import each other"):
        house.drawing(root)


def test_floors_stand_above_all_they_import() -> None:
    graph = {"a": {"b", "c"}, "b": {"c"}, "c": set(), "d": set()}
    assert house.floors(graph) == [["c", "d"], ["b"], ["a"]]
    assert house.summary(graph) == "4 rooms, 3 floors, 3 arrows"


def test_the_drawing_is_what_the_code_is(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, ROOT / "run.py", "map", "--check"], check=False).returncode == 0
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert house.summary(house.rooms(house.imports())) in page
    copy = tree(tmp_path, {"docs/house.py": (ROOT / "docs" / "house.py").read_text(encoding="utf-8")})
    tree(copy, {"runtime/colibri/__init__.py": "", "export/colibri_export/__init__.py": "", "docs/house.svg": "old"})
    check = [sys.executable, str(copy / "docs" / "house.py"), "--check"]
    stale = subprocess.run(check, capture_output=True, text=True, check=False)
    assert (stale.returncode, stale.stderr) == (1, "docs/house.svg is not what the code is: python3 run.py map\n")
    assert subprocess.run(check[:-1], capture_output=True, check=False).returncode == 0
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("wing", WINGS)
def test_a_door_says_what_comes_in_and_what_it_stands_on(wing: str) -> None:
    said = import_module(f"colibri.{wing}").__doc__ or ""
    assert all(word in said for word in ("In come", "out ", "stands on", "never" if wing != "server" else "Only"))


@pytest.mark.parametrize("wing", DOORS)
def test_a_door_hands_on_what_it_lists_and_each_name_has_one_meaning(wing: str) -> None:
    package = ROOT / "runtime" / "colibri" / wing
    text = (package / "__init__.py").read_text(encoding="utf-8")
    (block,) = [node for node in ast.parse(text).body if isinstance(node, ast.If)]
    for_types = {alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    module = import_module(f"colibri.{wing}")
    assert set(dir(module)) - {"door"} == for_types
    # A room's own name would mean the module as soon as anyone had imported it, and what the door says before.
    assert not for_types & {path.stem for path in package.iterdir()}
    if wing != "server":  # an extra, whose names need its packages
        for name in for_types:
            assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'absent'"):
        _ = module.absent
