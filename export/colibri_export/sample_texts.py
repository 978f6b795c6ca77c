"""Texts every export measures itself on: many scripts, short and long, and some that hurt. Written for this project."""

QUERIES = [
    "how many people live in Berlin?",
    "what keeps bread from going stale",
    "Wie hoch ist der Wasserstand der Elbe bei Dresden?",
    "comment réparer un vélo dont la chaîne saute",
    "¿por qué el cielo es rojo al atardecer?",
    "как долго варить гречку",
    "كيف أتعلم العزف على العود؟",
    "富士山の高さは何メートルですか",
    "怎样给多肉植物浇水",
    "서울에서 부산까지 기차로 얼마나 걸리나요",
    "भारत की सबसे लंबी नदी कौन सी है",
    "error 0x80070005 access denied when copying files",
]

_PARAGRAPHS = [
    "The lighthouse keeper wrote down the wind every three hours: strong from the west at noon, calm by nightfall. "
    "On the last page of each notebook he drew the ships that had passed, with their flags and the hour.",
    "To change the tyre, loosen the nuts a little before you lift the car. Lift it, take the nuts off, swap the wheel, "
    "tighten the nuts crosswise by hand, lower the car, and only then tighten them fully.",
    "Die Bibliothek öffnet um neun Uhr. Wer ein Buch verlängern möchte, kann das am Schalter oder im Netz tun; "
    "nach der dritten Verlängerung muss es einmal zurückgegeben werden.",
    "Le marché se tient chaque jeudi sur la place de l'église. On y trouve des fromages de chèvre, du miel de lavande, "
    "des tomates anciennes et, à l'automne, les premières châtaignes grillées.",
    "El tren nocturno salió con veinte minutos de retraso porque una vaca se había tumbado en la vía. "
    "Nadie se quejó: el maquinista bajó, habló con ella un rato y la vaca se fue.",
    "Il vulcano dorme da tre secoli, ma i contadini dell'isola misurano ogni mattina la temperatura dei pozzi.",
    "Na kuchennym stole leżał list, którego nikt nie odważył się otworzyć, a obok niego zimna już herbata.",
    "Зимой озеро замерзает так крепко, что по льду ездят грузовики. В марте дорогу закрывают, и деревня на острове "
    "две недели получает почту только с вертолёта.",
    "يبدأ الطريق إلى القرية من الجسر القديم، ثم يصعد بين أشجار الزيتون حتى النبع. يستغرق المشي نحو ساعة، "
    "والأفضل أن يكون في الصباح قبل أن يشتد الحر.",
    "הספרייה העירונית סגורה בימי שישי אחר הצהריים ופתוחה שוב ביום ראשון בבוקר.",
    "祖母は毎朝、庭の梅の木に水をやってから味噌汁を作った。雨の日でも傘をさして出て行き、木に一言声をかけていた。",
    "这座桥建于四百年前，用糯米浆和石灰砌成。每逢洪水，村民们都会到桥上守夜，据说桥从来没有塌过。",
    "할머니는 김치를 담그는 날이면 온 동네 사람을 불렀다. 배추를 절이고 양념을 버무리는 동안 이야기가 끊이지 않았다.",
    "ตลาดน้ำเปิดตั้งแต่หกโมงเช้า พ่อค้าแม่ค้าพายเรือขายผลไม้ ก๋วยเตี๋ยว และดอกไม้",
    "गाँव के कुएँ का पानी गर्मियों में भी नहीं सूखता, इसलिए आसपास के लोग वहीं से पानी भरते हैं।",
    "def area(radius: float) -> float:\n    return 3.141592653589793 * radius**2  # square metres\n\nprint(area(2.5))",
    "2024-11-03 04:17:55 WARN disk /dev/sdb1 91 % full; rotate logs or raise the limit (max=500 MiB, now=498.7 MiB)!!!",
]

DOCUMENTS = [
    *_PARAGRAPHS,
    "",
    "   \n\t ",
    "🌋",
    "OK",
    "a\u0301e\u0308 \u200f\u05d0 \x00 \ufeff",
    " ".join(_PARAGRAPHS[:6]),
    " ".join(_PARAGRAPHS * 4),
]
