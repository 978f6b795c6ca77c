"""Files for the page's tests in a browser: many scripts, names and texts made of markup, a PDF, code."""

from pathlib import Path

import pdf_writer

MARKUP_NAME = '<img src=x onerror=window.hurt=1> & "birds".txt'
MARKUP = (
    "Birds in markup: <script>window.hurt = 1</script><b onclick=window.hurt=1>bold birds</b> &lt;i&gt; "
    "<iframe srcdoc='<script>parent.hurt=1</script>'></iframe> {{birds}} ${birds} javascript:hurt\n"
)
TURNED_NAME = "notes\u202etxt.exe about\nowls.txt"
"""Shown as it stands, its end would read as another kind of file."""
TEXTS = {
    "notes/hummingbirds.md": (
        "# Hummingbirds\n\nHummingbirds hover in front of flowers and drink nectar.\n\n## Sleep\n\n"
        "At night they sleep in torpor: the heart beats slowly, and the small body saves energy until morning.\n"
    ),
    "notes/bread.md": "# Bread\n\nBread is baked from flour, water, salt and yeast. Let the dough rest overnight.\n",
    "notes/berlin.txt": "Berlin has 3.7 million inhabitants. The Spree flows through the city.\n",
    f"notes/{MARKUP_NAME}": MARKUP,
    f"notes/{TURNED_NAME}": "The barn owl hears a mouse under the snow.\n",
    "scripts/עברית.txt": "הציפור הקטנה ישנה בלילה על הענף, ובבוקר היא שרה. ציפורים ישנות מעט.\n",
    "scripts/عربي.txt": "تنام الطيور الصغيرة ليلا على الأغصان وتغني في الصباح.\n",
    "scripts/日本語.txt": "小さな鳥は夜、枝の上で眠る。朝になると歌い始める。\n",
    "scripts/中文.txt": "小鸟夜里在树枝上睡觉，早晨开始唱歌。\n",
    "scripts/astral.txt": "😀😀 𠮷野家 👩‍👧 𝒃𝒊𝒓𝒅: birds sleep at night 😴 then wake 🌅.\n",
    "code/plan.py": "def asleep(birds):\n    for bird in birds:\n        if bird.tired:\n            yield bird\n",
    "code/one-line.json": '{"words": "' + "x" * 3000 + '", "birds": "asleep"}\n',
    "work/report.txt": "The quarterly report names the refund policy: a refund takes five working days.\n" * 3,
}


def write_files(folder: Path) -> Path:
    """All of them, and a PDF of three pages, below `folder`."""
    for name, text in TEXTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    pages = ["Contents of the study", "Owls hunt mice in the dark", "Penguins huddle in the cold and sleep standing"]
    shown = [f"BT /F1 12 Tf 20 200 Td ({words}) Tj ET" for words in pages]
    (folder / "work" / "penguins.pdf").write_bytes(pdf_writer.document(*shown))
    (folder / "work" / "broken.pdf").write_bytes(b"%PDF-1.7 and no more of it")
    return folder
