"""One invented text in thirteen languages: a heading, a paragraph, a table of two by two and a list."""

from dataclasses import dataclass

BY_CHARACTERS = frozenset({"ja", "zh", "th"})
"""Languages that put no blanks between words: their recall is counted in characters."""

RIGHT_TO_LEFT = frozenset({"ar", "he"})


@dataclass(frozen=True)
class Text:
    """What a document of one language says."""

    heading: str
    paragraph: str
    table: tuple[tuple[str, str], tuple[str, str]]
    points: tuple[str, ...]

    def words(self, language: str) -> list[str]:
        """All of it in the order of the page: words, or characters where the language writes none apart."""
        cells = [cell for row in self.table for cell in row]
        said = " ".join([self.heading, self.paragraph, *cells, *self.points])
        return list("".join(said.split())) if language in BY_CHARACTERS else said.split()


TEXTS = {
    "en": Text(
        "The harbour office in winter",
        "Every morning at six the keeper walks along the quay and reads the three gauges beside the old crane. When "
        "the water stands higher than four metres, he rings the bell twice and writes the hour into the green book. "
        "Boats that arrive after nine must wait until the ice has been broken, and their owners pay a fee of twelve "
        "crowns for each day.",
        (("Gauge", "Height in metres"), ("Northern quay", "3.75")),
        ("Keep the lamp filled with oil", "Count the ropes on Friday", "Send the letters before noon"),
    ),
    "fr": Text(
        "Le bureau du port en hiver",
        "Chaque matin à six heures, le gardien longe le quai et relève les trois échelles près de la vieille grue. "
        "Lorsque l'eau dépasse quatre mètres, il sonne deux fois la cloche et note l'heure dans le cahier vert. Les "
        "bateaux arrivés après neuf heures doivent attendre que la glace soit brisée, et leurs propriétaires paient "
        "une taxe de douze couronnes par journée entamée.",
        (("Échelle", "Hauteur en mètres"), ("Quai du nord", "3,75")),
        ("Remplir la lampe d'huile", "Compter les cordes le vendredi", "Envoyer le courrier avant midi"),
    ),
    "de": Text(
        "Das Hafenamt im Winter",
        "Jeden Morgen um sechs geht der Wärter den Kai entlang und liest die drei Pegel neben dem alten Kran ab. "
        "Steht das Wasser höher als vier Meter, läutet er zweimal die Glocke und trägt die Stunde ins grüne Buch "
        "ein. Boote, die nach neun Uhr eintreffen, müssen warten, bis das Eis gebrochen ist; ihre Eigentümer zahlen "
        "für jeden angefangenen Tag zwölf Kronen Liegegebühr.",
        (("Pegel", "Höhe in Metern"), ("Nördlicher Kai", "3,75")),
        ("Die Öllampe gefüllt halten", "Am Freitag die Seile zählen", "Briefe vor zwölf Uhr absenden"),
    ),
    "ru": Text(
        "Портовая контора зимой",
        "Каждое утро в шесть часов смотритель проходит вдоль причала и снимает показания трёх водомерных реек у "
        "старого крана. Если вода поднялась выше четырёх метров, он дважды звонит в колокол и записывает час в "
        "зелёную книгу. Лодки, пришедшие после девяти, ждут, пока не разобьют лёд, а хозяева платят двенадцать крон "
        "за каждые сутки стоянки.",
        (("Рейка", "Высота в метрах"), ("Северный причал", "3,75")),
        ("Доливать масло в лампу", "Считать канаты по пятницам", "Отправлять письма до полудня"),
    ),
    "hi": Text(
        "सर्दियों में बंदरगाह कार्यालय",
        "हर सुबह छह बजे रखवाला घाट के किनारे चलता है और पुरानी क्रेन के पास लगे तीन मापक पढ़ता है। जब पानी चार मीटर "
        "से ऊपर होता है, तब वह दो बार घंटी बजाता है और हरी किताब में समय लिखता है। नौ बजे के बाद आने वाली नावों को "
        "बर्फ टूटने तक रुकना पड़ता है, और उनके मालिक हर दिन के लिए बारह मुद्रा शुल्क देते हैं।",
        (("मापक", "मीटर में ऊँचाई"), ("उत्तरी घाट", "3.75")),
        ("दीपक में तेल भरा रखना", "शुक्रवार को रस्सियाँ गिनना", "दोपहर से पहले चिट्ठियाँ भेजना"),
    ),
    "th": Text(
        "สำนักงานท่าเรือในฤดูหนาว",
        "ทุกเช้าเวลาหกโมง ผู้ดูแลเดินไปตามท่าเรือและอ่านมาตรวัดน้ำสามอันข้างปั้นจั่นเก่า เมื่อน้ำสูงกว่าสี่เมตร "
        "เขาจะตีระฆังสองครั้งแล้วจดเวลาลงในสมุดสีเขียว เรือที่มาถึงหลังเก้าโมงต้องรอจนกว่าน้ำแข็งจะแตก "
        "และเจ้าของเรือต้องจ่ายค่าธรรมเนียมวันละสิบสองเหรียญ",
        (("มาตรวัด", "ความสูงเป็นเมตร"), ("ท่าเหนือ", "3.75")),
        ("เติมน้ำมันในตะเกียงให้เต็ม", "นับเชือกทุกวันศุกร์", "ส่งจดหมายก่อนเที่ยง"),
    ),
    "ar": Text(
        "مكتب الميناء في الشتاء",
        "في السادسة من كل صباح يسير الحارس على طول الرصيف ويقرأ المقاييس الثلاثة بجانب الرافعة القديمة. وإذا ارتفع "
        "الماء فوق أربعة أمتار قرع الجرس مرتين وكتب الساعة في الدفتر الأخضر. أما القوارب التي تصل بعد التاسعة فعليها "
        "أن تنتظر حتى ينكسر الجليد، ويدفع أصحابها رسما قدره اثنتا عشرة قطعة عن كل يوم.",
        (("المقياس", "الارتفاع بالأمتار"), ("الرصيف الشمالي", "3.75")),
        ("املأ المصباح بالزيت", "عد الحبال يوم الجمعة", "أرسل الرسائل قبل الظهر"),
    ),
    "he": Text(
        "משרד הנמל בחורף",
        "בכל בוקר בשעה שש צועד השומר לאורך הרציף וקורא את שלושת המדים שליד העגורן הישן. כאשר המים עולים מעל ארבעה "
        "מטרים, הוא מצלצל פעמיים בפעמון ורושם את השעה בספר הירוק. סירות שמגיעות אחרי תשע חייבות להמתין עד שיישבר "
        "הקרח, ובעליהן משלמים אגרה של שנים עשר כתרים לכל יום.",
        (("מד", "גובה במטרים"), ("הרציף הצפוני", "3.75")),
        ("למלא שמן במנורה", "לספור את החבלים ביום שישי", "לשלוח את המכתבים לפני הצהריים"),
    ),
    "ja": Text(
        "冬の港湾事務所",
        "毎朝六時に番人は岸壁を歩き、古いクレーンのそばにある三つの水位計を読み取ります。水位が四メートルを超えると、"
        "鐘を二回鳴らし、緑の帳面に時刻を書き込みます。九時を過ぎて着いた船は、氷が割られるまで待たなければならず、持"
        "ち主は一日につき十二クローネの料金を支払います。",
        (("水位計", "高さ（メートル）"), ("北の岸壁", "3.75")),
        ("ランプに油を満たしておく", "金曜日に綱を数える", "正午までに手紙を出す"),
    ),
    "zh": Text(
        "冬天的港务处",
        "每天早上六点，看守人沿着码头行走，查看旧吊车旁边的三个水位计。当水位高于四米时，他敲两次钟，并把时间写进绿色"
        "的本子。九点以后到达的船必须等到冰被打破，船主每天要付十二克朗的费用。",
        (("水位计", "高度（米）"), ("北码头", "3.75")),
        ("灯里要加满油", "星期五清点绳索", "中午以前寄出信件"),
    ),
    "ko": Text(
        "겨울의 항만 사무소",
        "매일 아침 여섯 시에 관리인은 부두를 따라 걸으며 낡은 기중기 옆에 있는 수위계 세 개를 읽는다. 물이 사 "
        "미터보다 높아지면 종을 두 번 울리고 초록색 장부에 시각을 적는다. 아홉 시가 지나 도착한 배는 얼음이 깨질 "
        "때까지 기다려야 하며, 주인은 하루에 열두 크로네의 요금을 낸다.",
        (("수위계", "미터 높이"), ("북쪽 부두", "3.75")),
        ("등잔에 기름을 채워 둘 것", "금요일마다 밧줄을 셀 것", "정오 전에 편지를 보낼 것"),
    ),
    "vi": Text(
        "Văn phòng cảng vào mùa đông",
        "Mỗi buổi sáng lúc sáu giờ, người trông coi đi dọc bến tàu và đọc ba thước đo nước bên cạnh chiếc cần cẩu "
        "cũ. Khi mực nước cao hơn bốn mét, ông rung chuông hai lần và ghi giờ vào cuốn sổ màu xanh. Những chiếc "
        "thuyền đến sau chín giờ phải đợi cho tới khi băng vỡ, và chủ thuyền trả mười hai đồng lệ phí cho mỗi ngày.",
        (("Thước đo", "Độ cao tính bằng mét"), ("Bến phía bắc", "3,75")),
        ("Giữ đèn luôn đầy dầu", "Đếm dây thừng vào thứ sáu", "Gửi thư trước buổi trưa"),
    ),
    "el": Text(
        "Το λιμεναρχείο τον χειμώνα",
        "Κάθε πρωί στις έξι ο φύλακας περπατά στην προβλήτα και διαβάζει τους τρεις μετρητές δίπλα στον παλιό "
        "γερανό. Όταν το νερό ξεπερνά τα τέσσερα μέτρα, χτυπά δύο φορές την καμπάνα και γράφει την ώρα στο πράσινο "
        "βιβλίο. Οι βάρκες που φτάνουν μετά τις εννέα περιμένουν ώσπου να σπάσει ο πάγος, και οι ιδιοκτήτες "
        "πληρώνουν δώδεκα κορώνες για κάθε ημέρα.",
        (("Μετρητής", "Ύψος σε μέτρα"), ("Βόρεια προβλήτα", "3,75")),
        ("Να είναι γεμάτη λάδι η λάμπα", "Μέτρημα σχοινιών την Παρασκευή", "Αποστολή επιστολών πριν το μεσημέρι"),
    ),
}
