"""More languages of `denial_phrases`: Dutch, Polish, Turkish, Vietnamese, Arabic and Hindi."""

from .denial_phrases import Phrases

_GEEN = r"(?:geen|niets|niemand)"
DUTCH = Phrases(
    denials=(
        rf"(?:(?:op|in) .{{1,60}} )?(?:er )?(?:zijn|is|staan|staat|zie|kan|kon|worden|werden|wordt|"
        rf"werd|bevinden|bevindt|was|waren)(?: .{{0,60}}?)? {_GEEN}\b.*",
        rf"{_GEEN} .{{1,120}}",
        rf"(?:ik|we|wij) (?:zie|kan|kon|heb|vind|zien|kunnen|herken)(?: .{{0,60}}?)? {_GEEN}\b.*",
        rf"(?:de|deze|dit|het) (?:\w+ )?(?:afbeelding|foto|beeld|plaatje) (?:bevat|toont|heeft|"
        rf"laat)(?: .{{0,40}}?)? {_GEEN}\b.*",
        r".{1,80} (?:is|zijn|werd|werden|wordt|worden)(?: .{0,40}?)? niet (?:.{0,40} )?(?:aanwezig|"
        r"zichtbaar|te zien|gevonden|herkend|gedetecteerd|afgebeeld).*",
        r"(?:.{1,40} )?niet (?:gevonden|aanwezig|zichtbaar|gedetecteerd)",
    ),
    blocked=(
        rf"{_GEEN} (?:probleem|twijfel|ander|idee|vraag|reden|afbeelding|foto|moeite|zorgen|"
        r"verder|extra|dank)",
        r"\b(?:behalve|alleen|slechts|maar|duidelijk|als|indien|helpen|genoeg|meer|tenzij)\b|"
        r", (?:een|twee|wel)\b",
    ),
    affirms=(
        r"\b(?:is er|er is|er zijn|zie ik|ik zie|staat|staan|bevindt zich|toont)\b.{0,20} (?:een|"
        r"twee|links|rechts)\b",
        r"^(?:een|twee|drie) ",
    ),
    leads=(
        r"het spijt me|sorry|excuses|mijn excuses|helaas|maar|nee(?=,)|antwoord|resultaat",
        r"(?:op|in) (?:de|deze|dit|het) (?:afbeelding|foto|beeld)(?=,)",
    ),
)

POLISH = Phrases(
    denials=(
        r"(?:.{0,80} )?nie (?:ma|widzę|widać|znaleziono|wykryto|znala\w+|wykry\w+|zauważ\w+|"
        r"dostrzeg\w+|"
        r"zidentyfik\w+|rozpozna\w+|zawiera|przedstawia|pokazuje|zaobserwowano|stwierdzono|"
        r"udało się (?:znaleźć|wykryć|zidentyfikować)|mogę (?:znaleźć|wykryć|dostrzec|zobaczyć)|"
        r"(?:jest|są|został\w*) (?:obecn|widoczn|znalezion|wykryt)\w+|występuj\w+|istniej\w+)\b.*",
        r"(?:brak|żadn\w+|nikogo) .{1,100}|nic (?:nie|do|na|tu)\b.*",
        r"(?:.{1,60} )?nie (?:znaleziono|wykryto)|.{1,60}: ?brak",
    ),
    blocked=(
        r"(?:nie ma|brak) (?:wątpliwości|problem|sprawy|inn|więcej|potrzeby|sensu|powodu|obrazu|"
        r"zdjęcia|miejsca)",
        r"\b(?:oprócz|poza|tylko|jedynie|wyraźnie|jeśli|czy|pomóc|ale)\b",
        r"nie (?:widzę|mogę zobaczyć) (?:tego )?(?:obraz|zdjęci|załącz)\w*$",
    ),
    affirms=(
        r"(?<!nie )\b(?:widzę|znajduj\w+ się|widać)\b|\bjest (?:jeden|jedna|tam|po)\b",
        r"^(?:jeden|jedna|jedno|dwa|dwie|tylko) ",
    ),
    leads=(
        r"przepraszam|przykro mi|niestety|ale|nie(?=,)|odpowiedź|wynik",
        r"na (?:tym |podanym )?(?:obrazie|obrazku|zdjęciu)(?=,)",
    ),
)

TURKISH = Phrases(
    denials=(
        r"(?:.{0,100} )?(?:yok(?:tur)?|bulunm(?:uyor|amak|am[ıi])\w*|bulunamad\w+|"
        r"gör(?:ün|ül)m(?:üyor|emek)\w*|tespit edil(?:med|emed|miyor|memi)\w*|"
        r"algılan(?:mad|amad|mıyor)\w*|(?:mevcut|görünür) değil\w*|yer alm(?:ıyor|amak)\w*|"
        r"göremiyorum|görmüyorum|bulamad\w+|bulamıyorum|tespit edemedim|içerm(?:iyor|emek)\w*)",
    ),
    blocked=(
        r"(?:sorun|şüphe|gerek|görüntü|resim|fotoğraf|problem) yok|(?:görüntüyü|resmi|fotoğrafı) "
        r"gör",
        r"\b(?:başka|dışında|sadece|yalnızca|ancak|ama|fakat|eğer|yardım|net)\b",
    ),
    affirms=(
        r"\b(?:var(?:dır)?|bulunuyor|görüyorum|görünüyor|görülüyor)\b|\b(?:sağda|solda)\b",
        r"^(?:iki|üç|bir) ",
    ),
    leads=(
        r"üzgünüm|maalesef|ne yazık ki|özür dilerim|hayır(?=,)|cevap|yanıt|sonuç|ama|ancak",
        r"(?:bu )?(?:görüntüde|resimde|fotoğrafta)(?=,)",
    ),
)

VIETNAMESE = Phrases(
    denials=(
        r"(?:.{0,100} )?(?:không|chưa|chẳng)(?: (?:hề|thể|được|có thể)){0,2} (?:có|tìm thấy|"
        r"tìm được|phát hiện|thấy|nhìn thấy|xuất hiện|tồn tại|chứa|nhận diện|nhận thấy|xác định|"
        r"hiển thị|hiện diện)\b.*",
    ),
    blocked=(
        r"không có (?:vấn đề|gì khác|nghi ngờ|cách nào|sự khác|hình ảnh nào|ảnh nào|lý do)",
        r"\b(?:ngoại trừ|ngoài|chỉ|nhưng|nếu|khác|rõ|giúp|hỗ trợ)\b|có .{1,60} không$",
        r"thấy (?:được )?(?:hình ảnh|ảnh|hình)$",
    ),
    affirms=(
        r"(?<!không )(?<!chưa )\bcó (?:một|hai|ba|con|cái|nhiều)\b|\bthấy (?:một|hai)\b|nằm ở",
        r"^(?:một|hai) ",
    ),
    leads=(
        r"(?:tôi )?(?:rất )?(?:xin lỗi|tiếc)|nhưng|câu trả lời|kết quả|đáp án",
        r"trong (?:hình(?: ảnh)?|ảnh|bức ảnh)(?: này)?(?=,)",
    ),
)

ARABIC = Phrases(
    denials=(
        r"(?:.{0,100} )?(?:لا|لم|ولا) (?:\S+ )?(?:يوجد|توجد|أرى|ارى|تحتوي|يحتوي|تحتو|تظهر|يظهر|"
        r"تُظهر|يتم|أجد|اجد|أعثر|يمكنني|أستطيع|تتضمن|أتمكن|نجد)(?!\w).*",
        r"(?:.{0,100} )?(?:ليس|ليست|وليس) (?:هناك|في|موجود|ظاهر|مرئي)\S*.*",
        r".{1,80} غير (?:موجود|مرئي|ظاهر)\S*.*|لا شيء.*|لم يتم .+",
    ),
    blocked=(
        r"(?:يوجد|توجد|هناك) (?:أي )?(?:شك|مشكل|داع|صورة|صور|مانع)",
        r"\b(?:سوى|إلا|الا|باستثناء|فقط|لكن|ولكن|آخر|أخرى|إذا|بوضوح)\b|مساعد|رؤية (?:ال)?صور|"
        r"الصورة$(?<=أرى الصورة)",
    ),
    affirms=(
        r"(?<!لا )(?<!لم )(?<!ليس )\b(?:يوجد|توجد|هناك|أرى|تظهر|يظهر) |على (?:اليسار|اليمين)",
    ),
    leads=(
        r"عذر\S{0,2}|آسف|أعتذر|للأسف|لكن|ولكن|الإجابة|النتيجة|الجواب|في (?:هذه )?الصورة(?=،|,)",
    ),
)

HINDI = Phrases(
    denials=(
        r"(?:.{0,100} )?(?:कोई|कुछ)(?: .{0,80})? नहीं(?: .{0,60})?",
        r".{1,100} नहीं (?:है|मिल|दिख|देख|पा|मौजूद|थ).*",
        r".{1,80} (?:मौजूद|उपस्थित|दिखाई|शामिल) नहीं.*|नहीं मिल.*",
    ),
    blocked=(
        r"समस्या|संदेह|अलावा|सिवाय|केवल|सिर्फ|लेकिन|परंतु|अन्य|दूसर|अगर|यदि|मदद|स्पष्ट|"
        r"कोई (?:छवि|चित्र|तस्वीर|बात)|(?:छवि|चित्र|तस्वीर)(?: को)? (?:नहीं|देख)",
    ),
    affirms=(r"^(?:एक|दो|तीन) |(?:दिख|दिखाई दे) रह|(?:बाईं|दाईं|बाएं|दाएं) ",),
    leads=(r"(?:मुझे )?(?:खेद|अफ़सोस|अफसोस) है(?: कि)?|(?:क्षमा|माफ़|माफ) करें|दुर्भाग्य से|लेकिन|उत्तर|परिणाम",),
)

MORE_LANGUAGES: dict[str, Phrases] = {
    "Dutch": DUTCH,
    "Polish": POLISH,
    "Turkish": TURKISH,
    "Vietnamese": VIETNAMESE,
    "Arabic": ARABIC,
    "Hindi": HINDI,
}
