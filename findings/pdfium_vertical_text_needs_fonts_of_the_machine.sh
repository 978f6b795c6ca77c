#!/usr/bin/env bash
# One would expect: what text a PDF holds is in the PDF. A font that is not embedded but has a predefined character map
# (UniJIS-UTF16-V: the codes are Unicode) needs no font of the machine to be read; only drawing it does.
# What happens: where pdfium finds no font with Japanese characters, lines from top to bottom have no width (bounds from
# 244.0 to 244.0), and of such lines it gives back the last alone (here one of three); with a font in its folder it gives
# all three. The same file, the same program, on two machines: two texts, and no error.
# Whom it matters to: whoever indexes Japanese or Chinese PDFs in a container, where no such font is installed.
# Versions: pypdfium2 5.15.2 (its pdfium); IPAex Gothic out of matplotlib-fontja 1.1.0. Source: FPDF_InitLibraryWithConfig
# (m_pUserFontPaths) and FPDFText_GetText of fpdfview.h and fpdf_text.h. Exit code 1 when this changes.
set -euo pipefail
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "pypdfium2==5.15.2"
"$scratch/venv/bin/pip" download --quiet --no-deps --dest "$scratch" "matplotlib-fontja==1.1.0"
mkdir "$scratch/without" "$scratch/with"
"$scratch/venv/bin/python" -m zipfile -e "$scratch"/matplotlib_fontja-*.whl "$scratch/wheel"
cp "$scratch"/wheel/matplotlib_fontja/fonts/*.ttf "$scratch/with/"
cat > "$scratch/one.py" <<'PY'
import ctypes
import sys

rows = ("毎朝六時に番人は", "岸壁を歩く古いク", "レーンの水位計を")
drawn = " ".join(f"1 0 0 1 {250 - 20 * i} 250 Tm <{row.encode('utf-16-be').hex()}> Tj" for i, row in enumerate(rows))
content = f"BT /F1 12 Tf {drawn} ET"
objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
    f"<< /Length {len(content)} >>\nstream\n{content}\nendstream",
    "<< /Type /Font /Subtype /Type0 /BaseFont /Own /Encoding /UniJIS-UTF16-V /DescendantFonts [6 0 R] >>",
    "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /Own /DW 1000 /DW2 [880 -1000] /FontDescriptor 7 0 R"
    " /CIDSystemInfo << /Registry (Adobe) /Ordering (Japan1) /Supplement 0 >> >>",
    "<< /Type /FontDescriptor /FontName /Own /Flags 4 /FontBBox [0 -120 1000 880] /ItalicAngle 0 /Ascent 880"
    " /Descent -120 /CapHeight 880 /StemV 80 >>",
]
data, places = b"%PDF-1.7\n", []
for number, text in enumerate(objects, 1):
    places.append(len(data))
    data += f"{number} 0 obj\n{text}\nendobj\n".encode()
table = "".join(f"{place:010} 00000 n \n" for place in places)
data += (
    f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n{table}"
    f"trailer\n<< /Size {len(places) + 1} /Root 1 0 R >>\nstartxref\n{len(data)}\n%%EOF\n"
).encode()

import pypdfium2
import pypdfium2.raw as raw

raw.FPDF_DestroyLibrary()  # the module has begun it with the machine's own folders
folders = (ctypes.c_char_p * 2)(sys.argv[1].encode(), None)
config = raw.FPDF_LIBRARY_CONFIG()
config.version = 2
config.m_pUserFontPaths = ctypes.cast(folders, ctypes.POINTER(ctypes.POINTER(ctypes.c_char)))
raw.FPDF_InitLibraryWithConfig(config)
text = pypdfium2.PdfDocument(data)[0].get_textpage().get_text_range()
print(sum(row in text.replace("\r\n", "") for row in rows))
PY
without=$("$scratch/venv/bin/python" "$scratch/one.py" "$scratch/without")
with=$("$scratch/venv/bin/python" "$scratch/one.py" "$scratch/with")
echo "of three lines from top to bottom: $without without a Japanese font on the machine, $with with one"
if [ "$without" -ge "$with" ]; then
    echo "changed: the finding holds no more"
    exit 1
fi
