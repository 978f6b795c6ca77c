"""Sentences of everyday writing in seventeen languages, for tests and benchmarks of encodings. All are our own."""

import random
import unicodedata

SENTENCES = {
    "ru": """
Вчера вечером мы наконец починили крышу, и теперь дождь больше не капает в коридоре.
Библиотека на углу закрывается в шесть часов, поэтому книги лучше сдать до обеда.
Если поезд опоздает, позвоните мне, я подожду вас у входа на вокзал.
Бабушка печёт пирог с яблоками каждую субботу и угощает всех соседей.
Счёт за электричество пришёл в двух экземплярах, хотя платить нужно только один раз.
«Неужели вы не читали объявление?» — спросил сторож и показал на дверь.
Для ремонта насоса потребуются новая прокладка, ключ на семнадцать и немного терпения.
В журнале записано, что котёл проверяли трижды: в марте, в июле и в октябре.
Снег шёл всю ночь, и к утру дорога к деревне исчезла под сугробами.
Пожалуйста, не оставляйте велосипеды под лестницей, они мешают жильцам первого этажа.
Учитель объяснил, почему луна иногда видна днём и куда пропадают звёзды.
Эта рукопись хранилась в сундуке больше ста лет, и чернила почти выцвели.
Договор вступает в силу после подписи обеих сторон и действует до конца года.
Рыбаки вернулись с пустыми сетями, зато рассказали множество историй.
""",
    "uk": """
Уранці над річкою стояв такий густий туман, що ми не бачили протилежного берега.
Пекарня біля ринку відчиняється о сьомій, але свіжий хліб привозять ще раніше.
Якщо ключ не підходить, зверніться до сторожа, він живе на першому поверсі.
Дідусь зберіг усі листи, які його брат надсилав із далекої експедиції.
Щоб замовити довідку, потрібно заповнити заяву й додати копію паспорта.
Їжак оселився під нашою верандою і щовечора виходить шукати яблука.
Наступного тижня розпочнеться ремонт мосту, тому автобуси їхатимуть через село.
Учителька просила дітей принести олівці, ножиці та клаптики кольорового паперу.
Цього року врожай слив виявився більшим, ніж ми сподівалися навесні.
Ґанок треба пофарбувати до зими, бо дошки вже почали тріскатися.
Хто перший помітить помилку в розкладі, отримає від мене кухоль гарячого чаю.
Музей відкрив нову залу, де показують старовинні годинники й музичні скриньки.
Після дощу стежка стала слизькою, і подорожні трималися за поручні.
Угоду підписано двома сторонами, кожна з яких має один примірник.
""",
    "el": """
Το πλοίο φεύγει από το λιμάνι στις οκτώ το πρωί και φτάνει στο νησί το μεσημέρι.
Η γιαγιά μου ξέρει όλα τα βότανα του βουνού και τα μαζεύει κάθε άνοιξη.
Παρακαλούμε να κλείνετε την πόρτα της αυλής, γιατί μπαίνουν οι γάτες της γειτονιάς.
Ο λογαριασμός του νερού πρέπει να πληρωθεί πριν από το τέλος του μήνα.
Χθες βρήκαμε στη σοφίτα ένα παλιό ραδιόφωνο που ακόμα λειτουργεί.
Αν βρέξει αύριο, η παράσταση θα γίνει στην αίθουσα του σχολείου.
Ο υδραυλικός είπε ότι ο σωλήνας έχει σκουριάσει και χρειάζεται αλλαγή.
Τα παιδιά έφτιαξαν έναν χαρταετό με κόκκινη ουρά και τον πέταξαν στον λόφο.
Η βιβλιοθήκη δανείζει έως πέντε βιβλία για διάστημα τριών εβδομάδων.
Στο εργαστήριο φυλάσσονται τα όργανα μέτρησης, και κανείς δεν μπαίνει χωρίς άδεια.
Ήθελα να σου γράψω νωρίτερα, αλλά έχασα τη διεύθυνσή σου.
Το ψωμί αυτού του φούρνου μυρίζει υπέροχα, ιδίως όταν είναι ζεστό.
Η σύμβαση ισχύει για δύο χρόνια και ανανεώνεται με κοινή συμφωνία.
Άκουσα πως το μονοπάτι προς την πηγή καθαρίστηκε πρόσφατα από εθελοντές.
""",
    "he": """
הספרייה העירונית פתוחה בימי ראשון עד חמישי, ובימי שישי היא נסגרת בצהריים.
אתמול תיקנו סוף סוף את הברז במטבח, ועכשיו המים לא מטפטפים כל הלילה.
אם הרכבת מאחרת, אפשר לחכות בבית הקפה שליד התחנה ולקרוא עיתון.
סבתא שלי אופה עוגת תפוחים בכל שבת ומחלקת פרוסות לכל השכנים.
נא לסגור את שער החצר, כי הכלב כבר ברח פעמיים בשבוע שעבר.
החוזה נכנס לתוקף לאחר חתימת שני הצדדים ויישאר בתוקף עד סוף השנה.
בעליית הגג מצאנו מכתבים ישנים שכתב דודי כאשר שירת כמלח באונייה.
המורה הסבירה מדוע הירח נראה לפעמים גם באמצע היום.
הדייגים חזרו עם רשתות ריקות, אבל סיפרו סיפורים נפלאים.
מחר יתחיל שיפוץ הגשר, ולכן האוטובוסים ייסעו דרך הכפר.
לצורך החלפת המנורה יש לכבות את החשמל ולהמתין עשר דקות.
מי שאיבד מטרייה כחולה מוזמן לפנות אל השומר בקומה הראשונה.
השנה צמחו בגינה שלנו עגבניות גדולות ומתוקות במיוחד.
הרופא ביקש ממנה לנוח יומיים ולשתות הרבה תה עם דבש.
""",
    "ar": """
تفتح المكتبة أبوابها كل يوم من الساعة التاسعة صباحا حتى السادسة مساء ما عدا يوم الجمعة.
أصلحنا السقف أمس، ولم يعد المطر يدخل إلى غرفة الضيوف.
إذا تأخر القطار فانتظرني قرب المقهى الصغير أمام المحطة.
تخبز جدتي كعكة التفاح في نهاية كل أسبوع وتوزعها على الجيران.
يرجى إغلاق باب الحديقة لأن القطط تدخل منه وتفسد الزهور.
وصلت فاتورة الكهرباء مرتين، مع أننا ندفع المبلغ مرة واحدة فقط.
وجدنا في الصندوق القديم رسائل كتبها عمي عندما كان بحارا.
شرح المعلم للأطفال لماذا يظهر القمر أحيانا في وضح النهار.
عاد الصيادون بشباك فارغة، لكنهم حكوا لنا قصصا كثيرة.
يبدأ العمل في إصلاح الجسر الأسبوع القادم، وستمر الحافلات عبر القرية.
يسري هذا العقد بعد توقيع الطرفين ويبقى نافذا حتى نهاية السنة.
من فقد مظلة زرقاء فليسأل عنها الحارس في الطابق الأول.
نحتاج إلى مفتاح جديد وقليل من الصبر حتى نصلح المضخة.
هطل الثلج طوال الليل، واختفى الطريق المؤدي إلى الجبل.
""",
    "th": """
ห้องสมุดเปิดทุกวันตั้งแต่เก้าโมงเช้าถึงหกโมงเย็น ยกเว้นวันจันทร์
เมื่อวานนี้เราซ่อมหลังคาเสร็จแล้ว ฝนจึงไม่รั่วลงมาที่ห้องโถงอีก
ถ้ารถไฟมาช้า กรุณารอฉันที่ร้านกาแฟเล็ก ๆ หน้าสถานี
คุณยายอบขนมทุกวันเสาร์แล้วแบ่งให้เพื่อนบ้านทุกคน
โปรดปิดประตูรั้วให้สนิท เพราะแมวชอบเข้ามานอนในแปลงดอกไม้
ใบแจ้งค่าไฟฟ้ามาถึงสองฉบับ แต่จ่ายเพียงครั้งเดียวก็พอ
ในหีบเก่ามีจดหมายที่ลุงเขียนไว้เมื่อครั้งยังเป็นกะลาสีเรือ
ครูอธิบายให้เด็กฟังว่าทำไมบางครั้งจึงเห็นดวงจันทร์ในเวลากลางวัน
ชาวประมงกลับมาพร้อมแหเปล่า แต่มีเรื่องเล่ามากมาย
สัปดาห์หน้าจะเริ่มซ่อมสะพาน รถโดยสารจึงต้องวิ่งอ้อมไปทางหมู่บ้าน
สัญญาฉบับนี้มีผลเมื่อทั้งสองฝ่ายลงนาม และสิ้นสุดในเดือนธันวาคม
ผู้ที่ทำร่มสีน้ำเงินหาย ติดต่อขอรับคืนได้ที่ยามชั้นหนึ่ง
อุณหภูมิในโกดังต้องไม่เกินสิบแปดองศา และต้องจดบันทึกทุกเช้าเย็น
ปีนี้มะม่วงในสวนของเราออกลูกดกกว่าที่คาดไว้มาก
""",
    "vi": """
Thư viện mở cửa từ chín giờ sáng đến sáu giờ chiều, trừ ngày thứ hai.
Hôm qua chúng tôi đã sửa xong mái nhà, nên mưa không còn dột vào phòng khách nữa.
Nếu tàu đến muộn, xin hãy đợi tôi ở quán cà phê nhỏ trước nhà ga.
Bà ngoại nướng bánh táo vào mỗi cuối tuần và đem biếu tất cả hàng xóm.
Vui lòng đóng cổng vườn, vì đàn mèo hay vào nằm trên luống hoa.
Hóa đơn tiền điện được gửi hai lần, nhưng chỉ cần trả một lần thôi.
Trong chiếc rương cũ có những lá thư bác tôi viết hồi còn làm thủy thủ.
Thầy giáo giải thích cho bọn trẻ vì sao đôi khi thấy mặt trăng giữa ban ngày.
Những người đánh cá trở về với lưới trống, song họ kể rất nhiều chuyện hay.
Tuần sau cây cầu bắt đầu được sửa chữa, xe buýt sẽ chạy vòng qua làng.
Hợp đồng có hiệu lực sau khi hai bên ký tên và kết thúc vào tháng mười hai.
Ai đánh mất chiếc ô màu xanh xin liên hệ người bảo vệ ở tầng một.
Nhiệt độ trong kho phải được ghi lại hai lần mỗi ngày, buổi sáng và buổi tối.
Năm nay vườn xoài sai quả hơn mọi năm, cành nào cũng trĩu xuống.
""",
    "tr": """
Kütüphane pazartesi dışında her gün sabah dokuzdan akşam altıya kadar açıktır.
Dün sonunda çatıyı onardık, artık yağmur koridora damlamıyor.
Tren gecikirse beni istasyonun karşısındaki küçük kahvede bekleyin.
Büyükannem her cumartesi elmalı çörek pişirir ve bütün komşulara dağıtır.
Lütfen bahçe kapısını kapatın, çünkü kediler içeri girip çiçekleri eziyor.
Elektrik faturası iki kez geldi, oysa yalnızca bir kez ödemek gerekiyor.
Eski sandıkta amcamın gemici olduğu yıllarda yazdığı mektupları bulduk.
Öğretmen çocuklara ayın neden bazen gündüz de göründüğünü anlattı.
Balıkçılar boş ağlarla döndüler, ama anlatacak çok öyküleri vardı.
Gelecek hafta köprünün onarımı başlayacak, otobüsler köyün içinden geçecek.
Sözleşme iki tarafın imzasından sonra yürürlüğe girer ve yıl sonunda biter.
Mavi şemsiyesini kaybeden kişi birinci kattaki bekçiye başvurabilir.
Pompayı onarmak için yeni bir conta, bir anahtar ve biraz sabır gerekiyor.
Işıkları söndürmeyi unutma, geçen ay faturamız oldukça yüksekti.
""",
    "cs": """
Městská knihovna je otevřena každý den kromě pondělí od devíti do šesti hodin.
Včera jsme konečně opravili střechu a déšť už nekape do chodby.
Pokud se vlak zpozdí, počkejte na mě v malé kavárně naproti nádraží.
Babička peče každou sobotu jablečný koláč a rozdává ho všem sousedům.
Zavírejte prosím vrátka zahrady, protože kočky chodí spát na záhon.
Účet za elektřinu přišel dvakrát, přestože stačí zaplatit jen jednou.
Ve staré truhle ležely dopisy, které strýc psal jako námořník.
Učitel vysvětlil dětem, proč je měsíc někdy vidět i za bílého dne.
Rybáři se vrátili s prázdnými sítěmi, zato vyprávěli spoustu příběhů.
Příští týden začne oprava mostu, autobusy proto pojedou přes vesnici.
Smlouva nabývá účinnosti podpisem obou stran a končí posledním dnem roku.
Kdo ztratil modrý deštník, ať se přihlásí u vrátného v přízemí.
Kůň přešel přes louku a zastavil se teprve u potoka, kde rostou vrby.
Teplota ve skladu se zapisuje ráno a večer, vždy do téhož sešitu.
""",
    "pl": """
Biblioteka miejska jest czynna codziennie oprócz poniedziałku od dziewiątej do szóstej.
Wczoraj wreszcie naprawiliśmy dach i deszcz nie kapie już na korytarz.
Jeśli pociąg się spóźni, proszę zaczekać w małej kawiarni naprzeciwko dworca.
Babcia piecze w każdą sobotę ciasto z jabłkami i częstuje nim wszystkich sąsiadów.
Prosimy zamykać furtkę ogrodu, ponieważ koty śpią na grządce z kwiatami.
Rachunek za prąd przyszedł dwa razy, choć wystarczy zapłacić tylko raz.
W starej skrzyni leżały listy, które wujek pisał jako młody żeglarz.
Nauczyciel wyjaśnił dzieciom, dlaczego księżyc bywa widoczny także w dzień.
Rybacy wrócili z pustymi sieciami, za to opowiedzieli mnóstwo historii.
W przyszłym tygodniu zacznie się remont mostu, więc autobusy pojadą przez wieś.
Umowa wchodzi w życie po podpisaniu przez obie strony i wygasa z końcem roku.
Kto zgubił niebieski parasol, może go odebrać u woźnego na pierwszym piętrze.
Źrebię pobiegło przez łąkę i zatrzymało się dopiero nad strumieniem.
Temperaturę w magazynie zapisuje się rano i wieczorem, zawsze w tym samym zeszycie.
""",
    "de": """
Die Bücherei hat außer montags täglich von neun bis achtzehn Uhr geöffnet.
Gestern haben wir endlich das Dach geflickt, und nun tropft es nicht mehr in den Flur.
Falls sich der Zug verspätet, warten Sie bitte im kleinen Café gegenüber dem Bahnhof.
Meine Großmutter backt jeden Samstag Apfelkuchen und verschenkt ihn an die Nachbarn.
Bitte schließen Sie das Gartentor, weil sonst die Katzen über die Beete laufen.
Die Stromrechnung kam zweimal, obwohl wir nur einmal zahlen müssen.
In der alten Truhe lagen Briefe, die mein Onkel als Matrose geschrieben hatte.
Der Lehrer erklärte den Kindern, warum man den Mond manchmal auch am Tag sieht.
Die Fischer kamen mit leeren Netzen zurück, erzählten dafür aber schöne Geschichten.
Nächste Woche beginnt die Reparatur der Brücke, die Busse fahren dann durchs Dorf.
Der Vertrag gilt ab der Unterschrift beider Parteien und endet im Dezember.
Wer einen blauen Regenschirm verloren hat, melde sich beim Hausmeister im Erdgeschoss.
„Haben Sie denn den Aushang nicht gelesen?“, fragte der Wächter und zeigte auf die Tür.
Für die Mahnung berechnen wir fünf Euro, sofern die Frist überschritten wurde.
""",
    "fr": """
La bibliothèque est ouverte tous les jours de neuf heures à dix-huit heures, sauf le lundi.
Hier, nous avons enfin réparé le toit, et la pluie ne goutte plus dans le couloir.
Si le train a du retard, attendez-moi au petit café situé en face de la gare.
Ma grand-mère prépare chaque samedi un gâteau aux pommes qu’elle partage avec les voisins.
Merci de fermer la barrière du jardin, car les chats viennent dormir près des rosiers.
La facture d’électricité est arrivée deux fois, alors qu’il suffit de la payer une fois.
Dans le vieux coffre se trouvaient des lettres que mon oncle écrivait lorsqu’il était marin.
Le maître expliqua aux élèves pourquoi l’on aperçoit parfois la lune en plein jour.
Les pêcheurs sont rentrés les filets vides, mais ils ont raconté de belles histoires.
La semaine prochaine débutera la réfection du pont ; les autobus passeront par le village.
Le contrat prend effet dès sa signature et s’achève à la fin de l’année.
Celui qui a perdu un parapluie bleu peut s’adresser au gardien, au rez-de-chaussée.
Où avez-vous rangé la clé de l’atelier ? Elle était pendue près de la fenêtre.
Il paraît que l’été dernier la récolte de prunes a été exceptionnelle là-bas.
""",
    "es": """
La biblioteca está abierta todos los días de nueve a seis, excepto los lunes.
Ayer por fin arreglamos el tejado y la lluvia ya no gotea en el pasillo.
Si el tren se retrasa, espéreme en el pequeño café que está frente a la estación.
Mi abuela prepara cada sábado una tarta de manzana y la reparte entre los vecinos.
Cierren la puerta del jardín, por favor, porque los gatos duermen entre las flores.
La factura de la electricidad llegó dos veces, aunque basta con pagarla una sola vez.
En el viejo baúl había cartas que mi tío escribió cuando era marinero.
El maestro explicó a los niños por qué a veces se ve la luna durante el día.
Los pescadores volvieron con las redes vacías, pero contaron muchísimas historias.
La próxima semana comenzará la reparación del puente y los autobuses irán por el pueblo.
El contrato entra en vigor tras la firma de ambas partes y vence a fin de año.
¿Quién ha perdido un paraguas azul? Puede recogerlo en la portería del primer piso.
El señor Ibáñez soñaba con pasar el otoño en una cabaña de la montaña.
Según el último informe, la bomba se revisó en marzo, en julio y también en octubre.
""",
    "ja": """
図書館は月曜日を除いて毎日九時から六時まで開いています。
昨日ようやく屋根の修理が終わり、廊下に雨が漏らなくなりました。
電車が遅れた場合は、駅前の小さな喫茶店で待っていてください。
祖母は毎週土曜日にりんごのケーキを焼いて、近所の人たちに配ります。
猫が花壇に入ってしまうので、庭の戸は必ず閉めてください。
電気代の請求書が二通届きましたが、支払いは一度だけで結構です。
古い箱の中から、叔父が船乗りだったころに書いた手紙が見つかった。
先生は子どもたちに、なぜ昼間でも月が見えることがあるのかを説明した。
漁師たちは空の網を持って帰ってきたが、面白い話をたくさん聞かせてくれた。
来週から橋の工事が始まるため、バスは村の中を通ります。
この契約は双方の署名によって効力を生じ、年末に終了する。
青い傘をなくした方は、一階の管理人までお申し出ください。
ポンプを直すには、新しいパッキンとスパナ、それに少しの忍耐が必要だ。
倉庫の温度は朝と夕方に測り、いつも同じノートに記録します。
「張り紙を読まなかったのですか」と守衛はたずね、ドアを指さした。
今年の梅は去年よりもずっとたくさん実をつけた。
""",
    "ko": """
도서관은 월요일을 빼고 날마다 아홉 시부터 여섯 시까지 문을 엽니다.
어제 드디어 지붕을 고쳐서 이제는 복도에 비가 새지 않습니다.
기차가 늦으면 역 앞에 있는 작은 찻집에서 기다려 주세요.
할머니는 토요일마다 사과 케이크를 구워 이웃들에게 나누어 줍니다.
고양이가 꽃밭에 들어오니 마당 문을 꼭 닫아 주시기 바랍니다.
전기 요금 고지서가 두 장 왔지만 한 번만 내면 됩니다.
낡은 상자 속에서 삼촌이 선원이던 시절에 쓴 편지를 찾았다.
선생님은 왜 낮에도 가끔 달이 보이는지 아이들에게 설명했다.
어부들은 빈 그물로 돌아왔지만 재미있는 이야기를 많이 들려주었다.
다음 주에 다리 공사가 시작되므로 버스는 마을을 지나서 갑니다.
이 계약은 두 사람이 서명한 날부터 효력이 있고 연말에 끝난다.
파란 우산을 잃어버린 분은 일 층 경비실로 오시기 바랍니다.
펌프를 고치려면 새 부품과 열쇠, 그리고 약간의 인내심이 필요하다.
창고 온도는 아침과 저녁에 재고 언제나 같은 공책에 적습니다.
올해는 마당의 감나무에 열매가 유난히 많이 열렸다.
""",
    "zh-Hans": """
图书馆除了星期一以外，每天上午九点到下午六点开放。
昨天我们终于把屋顶修好了，走廊里再也不漏雨了。
如果火车晚点，请在车站对面的小咖啡馆等我。
奶奶每个星期六都会烤苹果蛋糕，分给所有的邻居。
请随手关好院子的门，因为猫会跑进来睡在花坛里。
电费账单寄来了两份，其实只需要付一次钱。
旧箱子里放着叔叔当水手的时候写的信。
老师给孩子们解释，为什么有时候白天也能看见月亮。
渔民们带着空网回来，却讲了许多有趣的故事。
下个星期开始修桥，公共汽车将从村子里经过。
本合同经双方签字后生效，到年底终止。
丢失蓝色雨伞的人，可以到一楼的门卫那里领取。
要修好水泵，需要一个新的垫圈、一把扳手和一点耐心。
仓库的温度每天早晚各测一次，记在同一个本子上。
“您没有看到通知吗？”看门人问道，并指了指那扇门。
今年园子里的李子比我们春天预料的要多得多。
""",
    "zh-Hant": """
圖書館除了星期一以外，每天上午九點到下午六點開放。
昨天我們終於把屋頂修好了，走廊裡再也不漏雨了。
如果火車誤點，請在車站對面的小咖啡館等我。
奶奶每個星期六都會烤蘋果蛋糕，分給所有的鄰居。
請隨手關好院子的門，因為貓會跑進來睡在花壇裡。
電費帳單寄來了兩份，其實只需要付一次錢。
舊箱子裡放著叔叔當水手的時候寫的信。
老師向孩子們解釋，為什麼有時候白天也能看見月亮。
漁民們帶著空網回來，卻講了許多有趣的故事。
下個星期開始修橋，公車將從村子裡經過。
本契約經雙方簽名後生效，到年底終止。
遺失藍色雨傘的人，可以到一樓的警衛室領取。
要修好抽水機，需要一個新的墊圈、一把扳手和一點耐心。
倉庫的溫度每天早晚各測一次，記在同一本簿子上。
「您沒有看到通知嗎？」看門人問道，並指了指那扇門。
今年園子裡的李子比我們春天預料的要多得多。
""",
}
"""Language -> sentences, one a line."""

_CODE = """
def reorder(paths, limit=10):
    seen = set()
    for path in sorted(paths):
        if path in seen or len(seen) > limit:  # {0}
            continue
        seen.add(path)
    # {1}
    return [str(path) for path in seen if path.exists()]
"""
_PLAIN = str.maketrans(
    {"’": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "—": "-", "–": "-", "…": "...", "€": "EUR"}
)


def sample(language: str, characters: int, seed: int) -> str:
    """Sentences in an order of chance, a few to a line, as long as asked for."""
    chances = random.Random(f"{language} {characters} {seed}")
    sentences = SENTENCES[language].split("\n")[1:-1]
    gap = "" if language in {"ja", "zh-Hans", "zh-Hant"} else " "
    parts: list[str] = []
    length = 0
    while length < characters:
        for sentence in chances.sample(sentences, len(sentences)):
            parts += [sentence, "\n" if chances.random() < 0.25 else gap]
            length += len(sentence) + len(parts[-1])
    return "".join(parts)[:characters].rstrip()


def commented(text: str) -> str:
    """Source code with two short comments, of 40 and of 20 characters."""
    words = " ".join(text.split())
    return _CODE.format(words[:40], words[60:80])


def encoded(text: str, encoding: str) -> tuple[str, bytes]:
    """The text as it can be written in an encoding, and its bytes. What has no sign in it is written plainly."""
    if encoding == "cp1258":
        text = "".join(map(_tone_apart, text))
    try:
        return text, text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(_PLAIN)
        return text, text.encode(encoding)


def _tone_apart(letter: str) -> str:
    """Windows-1258 writes a Vietnamese letter first and its tone after it."""
    parts = unicodedata.normalize("NFD", letter)
    tones = [mark for mark in parts if mark in "\u0300\u0301\u0303\u0309\u0323"]
    rest = "".join(mark for mark in parts if mark not in tones)
    return unicodedata.normalize("NFC", rest) + "".join(tones)


_UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")
_WEST = ("cp1252", "iso-8859-15", "cp850", "cp437", "mac-roman")
_LEGACY = {
    "ru": ("cp1251", "koi8-r", "cp866", "iso-8859-5", "mac-cyrillic"),
    "uk": ("cp1251", "koi8-u"),
    "el": ("cp1253", "iso-8859-7"),
    "he": ("cp1255", "iso-8859-8"),
    "ar": ("cp1256", "iso-8859-6"),
    "th": ("cp874", "tis-620"),
    "vi": ("cp1258",),
    "tr": ("cp1254", "iso-8859-9"),
    "cs": ("cp1250", "iso-8859-2"),
    "pl": ("cp1250", "iso-8859-2", "cp852"),
    "de": _WEST,
    "fr": _WEST,
    "es": _WEST,
    "ja": ("cp932", "euc-jp", "iso-2022-jp"),
    "ko": ("cp949",),
    "zh-Hans": ("gb18030", "hz"),
    "zh-Hant": ("big5",),
}

PAIRS = [(name, language) for language, names in _LEGACY.items() for name in names]
"""Encoding and language: the encodings that files of each language came in, and those of Unicode for some scripts."""
PAIRS += [(name, language) for name in _UNICODE for language in ("de", "ru", "ja")]
