"""The commonest little words of languages, and the letters that few of them have, by script: see `tongue`."""

LATIN = {
    "af": (
        "die van en het nie in is wat om te vir dat met hy sy aan ook as ons hierdie wees word kan deur "
        "sal na jy ek moet"
    ),
    "ca": (
        "de la i el que a en les per els un una amb del es no al ha com més són aquest aquesta pel està "
        "però també seva seu des"
    ),
    "cs": (
        "a v na se je že s z do o pro to jako po by za ale si jeho které jsou nebo k ve bylo který tento "
        "není pouze být při až podle lze soubor"
    ),
    "da": (
        "og i at det en den til er som på de med af for ikke der var et har han vi kan men om fra ved "
        "blev efter eller også skal være denne kunne fejl uden nogle bruges angiv filen mappe hvor hvis "
        "sig siden meget mange år"
    ),
    "de": (
        "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an "
        "werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war "
        "haben nur oder aber vor zur bis mehr durch kann keine wenn"
    ),
    "en": (
        "the of and to in a is that for it as was with be by on not he his this are or at from but have "
        "an they which you were all we their has would there been if can more will about who when your "
        "its no use than"
    ),
    "eo": (
        "la de kaj en estas ne al por ke kun el li oni sed ĝi tiu kiu aŭ estis pri ĉi pli per sur povas eblas dosiero"
    ),
    "es": (
        "de la que el en y a los del se las por un para con no una su al es lo como más pero sus le ha "
        "este sí porque esta entre cuando muy sin sobre también me hasta hay donde está desde todo nos "
        "durante"
    ),
    "et": (
        "ja on ei see et oli ka mis ning kui ta aga või oma seda kes selle siis mitte välja nii veel kuid "
        "pärast saab olla faili pole"
    ),
    "eu": (
        "eta da ez du bat dira edo izan dute hau zen den ere behar baina dela egin beste ezin daiteke "
        "artean bere fitxategia"
    ),
    "fi": (
        "ja on ei se että oli hän mutta myös ovat kun joka niin kuin tai mukaan ole tämä jos sen olla "
        "sekä voi hänen jo vain kanssa"
    ),
    "fr": (
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont "
        "avec son elle aux d'un cette ou ses mais comme on été nous leur sa être deux ont même aussi fait "
        "lors"
    ),
    "ga": ("an na agus a is i ar le go ag bhí do sé sin tá ní atá nach siad níl ó chun seo é mar gan ach féidir"),
    "gl": (
        "de a que o e en do da un unha para non os por con como máis se as ao no na dos ten pero foi esta "
        "este xa pola polo súa são á ou"
    ),
    "hr": (
        "i je u se na da za su od s koji kao ne to o a ili što iz bi nije može ali sve koje biti samo ako "
        "prema datoteka"
    ),
    "hu": (
        "a az és hogy nem is egy van de meg ez csak volt mint már el ki vagy még kell ha azt ezt lehet "
        "után között szerint fájl"
    ),
    "id": (
        "yang dan di dengan untuk dari pada ini tidak dalam adalah itu akan ke oleh sebagai atau juga "
        "bisa ada karena telah dapat mereka saya kami berkas harus bahwa anda jika gunakan tanpa"
    ),
    "is": "og að í á er sem það um til var við með en ekki fyrir af hann eru hefur eða frá þetta þá ef skrá",
    "it": (
        "di e il la che in a per è un del non le una i della con si da sono al ha dei nel come più o alla "
        "anche delle lo gli ma nella se su essere questo dal ed era tra stato"
    ),
    "la": "et in est non ad ut cum quod qui sed si ex quae de per esse aut ab enim etiam",
    "lt": (
        "ir yra kad į iš su tai buvo ne kaip apie už arba jis ar taip po tik nuo dėl gali prie nėra galima failas failo"
    ),
    "lv": "un ir ar no uz ka par bija kas to pēc vai tika bet arī tas kā pie nav lai šī tikai var failu",
    "ms": (
        "yang dan di dengan untuk dari pada ini tidak dalam adalah itu akan ke oleh sebagai atau juga "
        "boleh ada kerana telah dapat mereka saya kami fail bahawa anda jika guna tanpa ialah"
    ),
    "nl": (
        "de van het een en in is dat op te zijn voor met die niet aan er om ook als dan maar bij uit "
        "worden door naar heeft hij ze wordt nog kan geen deze of over tot"
    ),
    "no": (
        "og i det på som er en til å av for at med de ikke den har et han om fra men var vi kan etter ble "
        "også eller skal være blir denne må feil uten noen brukes angi filen mappe hvor hvis seg siden "
        "mye mange år ikkje frå ein dei"
    ),
    "pl": (
        "i w na z się do nie to że jest o jak za od po co a przez dla ale są oraz przy jego ich był tak "
        "tylko może być lub było które który już jako przed można"
    ),
    "pt": (
        "de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das "
        "tem à seu sua ou ser quando muito há nos já está também só pelo pela até isso são"
    ),
    "ro": (
        "de și în a la nu cu o este care pe un din că se pentru sau mai fi prin sunt ca dar au fost după "
        "dacă acest această poate"
    ),
    "sk": (
        "a v na sa je že s z do o pre to ako po by za ale si jeho ktoré sú alebo k vo bolo ktorý nie iba "
        "byť pri až podľa súbor"
    ),
    "sl": ("in je v na se da za so z ki pa ne s po kot tudi od bi iz to a do ali pri bil ni lahko samo ko datoteke"),
    "sq": "të e në dhe për një me se nga që i është nuk ka si ose janë do kjo pas por mund më këtë",
    "sv": (
        "och i att det som en på är av för med den till inte har de ett om han men var vi kan från så "
        "eller jag även när ska vid efter bli detta"
    ),
    "sw": "na ya wa kwa ni katika la za cha kuwa hii hiyo pia lakini au watu kama baada yake huo",
    "tl": "ang ng sa na mga ay at ito hindi ni kay para may isang si ko nang kung din",
    "tr": (
        "ve bir bu için ile de da olarak çok daha olan gibi kadar en sonra ama ne o var değil ya veya her "
        "tarafından ise oldu dosya ancak"
    ),
    "vi": (
        "của và là các có cho không được trong một với những này đã người để từ khi về ra như vào cũng "
        "đến sẽ tập tin nhiều"
    ),
    "cy": "y yr a o i yn ar ac mae am gan wedi ei eu fod hyn oedd nid neu",
}
"""Articles, prepositions, forms of to be, and what programs say most."""
LATIN_LETTERS = {
    "cs": "řěů",
    "de": "ß",
    "es": "ñ¿¡",
    "fr": "œ",
    "hu": "őű",
    "is": "ðþ",
    "pl": "łżąęśź",
    "pt": "ãõ",
    "ro": "țșăţş",
    "tr": "ğış",
    "vi": "ơưạảấầẩẫậắằẳẵặẹẻẽềểễệọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
    "sk": "ľĺŕ",
    "lv": "ģķļņāēīū",
    "lt": "ėįųū",
    "eo": "ĉĝĥĵŝŭ",
    "sv": "å",
    "da": "æø",
    "no": "æø",
    "ca": "·",
    "et": "õ",
}
"""Of a language, where not all have them."""
CYRILLIC = {
    "ru": ("и в не на что с по как это из у он для то от но а его за бы так все или было если был также ее файла нет"),
    "uk": "і в не на що з та до як це за у для є від але або його про був також які якщо файл немає можна",
    "be": "і ў не на што з да як гэта за у для ад але або яго пра быў таксама якія калі файл няма можна",
    "bg": "и на в да не се за от е са с по че като до при но или това който която бе му ще файл може без",
    "sr": "и у је на да се за не су од са који као то о а или што из би није може али датотеке",
    "mk": "и на во се да од за не со е ќе како што но или ова беше кој кои датотека",
    "kk": "және бұл мен бір үшін бар деп емес болып да де осы сол туралы файл",
    "mn": "нь байна энэ юм болон байх бол ба тухай гэж файл",
}
CYRILLIC_LETTERS = {
    "ru": "ыэъё",
    "uk": "їєґі",
    "be": "ўіыэё",
    "bg": "ъ",
    "sr": "ђћљњџј",
    "mk": "ѓќѕљњџј",
    "kk": "әғқңұүһіы",
    "mn": "өүыэё",
}
ARABIC = {
    "ar": "في من على إلى أن عن التي هذا الذي مع كان هذه أو لا ما بعد لم كما قد غير الملف",
    "fa": "و در به از که این را با است برای آن یک خود تا کرد بر هم نیز شد می های شود پرونده",
    "ur": "کے کی میں ہے اور سے کا کو اس پر نے ہیں کہ نہیں یہ ایک بھی تھا",
}
ARABIC_LETTERS = {
    "ar": "ةىأإ",
    "fa": "پچژگک",
    "ur": "ٹڈڑںےہھ",
}
DEVANAGARI = {
    "hi": "के है में की से और का को पर यह नहीं कि एक ने हैं भी इस लिए था हो",
    "mr": "आहे आणि या च्या ते हे नाही व मध्ये एक होते की असे करा",
    "ne": "छ र को मा हो गर्न यो पनि छन् भएको लागि गरेको छैन",
}
DEVANAGARI_LETTERS = {
    "mr": "ळ",
}
