"""Names of cells, and what a merged one covers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from colibri.files.kinds.office.sheets import Merged, areas, column_name, row_and_column


@given(st.integers(1, 16_384), st.integers(1, 1_048_576))
def test_names_of_cells_go_there_and_back(column: int, line: int) -> None:
    assert row_and_column(f"{column_name(column)}{line}") == (line, column)


BOX = st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(0, 3), st.integers(0, 3))


@settings(deadline=None)
@given(BOX, st.integers(1, 400))
def test_a_merged_area_covers_all_but_its_first_cell(box: tuple[int, int, int, int], piece: int) -> None:
    top, left, height, width = box
    area = f"{column_name(left)}{top}:{column_name(left + width)}{top + height}"
    part = f'<mergeCells>{" " * 500}<mergeCell ref="A900:B900"/><mergeCell ref="{area}"/></mergeCells>'.encode()
    merged = Merged(areas(part[at : at + piece] for at in range(0, len(part), piece)))
    for line in range(1, 17):
        for column in range(1, 17):
            inside = top <= line <= top + height and left <= column <= left + width
            assert merged.covers(line, column) == (inside and (line, column) != (top, left))
