"""Answers that deny in Dutch, Polish, Turkish, Vietnamese, Arabic and Hindi."""

import unicodedata

import pytest

from swift_plugin_visionr1.formats.denial import denies

DENIALS = [
    "Er zijn geen katten in de afbeelding.",
    "Ik zie geen katten op deze foto.",
    "Het spijt me, maar ik kan geen katten vinden in de afbeelding.",
    "De afbeelding bevat geen katten of honden.",
    "Geen objecten gevonden.",
    "Er is niets te zien.",
    "De kat is niet zichtbaar in de afbeelding.",
    "Op de foto is geen hond te zien.",
    "Helaas zijn er geen honden in deze afbeelding.",
    "Nie ma kotów na obrazie.",
    "Na zdjęciu nie widać żadnych kotów.",
    "Przepraszam, ale nie widzę kotów na tym obrazie.",
    "Nie wykryto żadnych obiektów.",
    "Brak obiektów na obrazie.",
    "Obraz nie zawiera psów ani kotów.",
    "Na tym obrazie nie ma psa.",
    "Niestety, nie znaleziono żadnego kota.",
    "Görüntüde kedi yok.",
    "Bu resimde hiçbir kedi bulunmuyor.",
    "Üzgünüm, görüntüde kedi göremiyorum.",
    "Hiçbir nesne tespit edilmedi.",
    "İstenen nesneler görüntüde bulunamadı.",
    "Resimde kedi bulunmamaktadır.",
    "Maalesef bu görüntüde köpek yok.",
    "Không có con mèo nào trong hình ảnh.",
    "Trong hình ảnh không có con mèo nào.",
    "Tôi không thấy con chó nào trong ảnh.",
    "Xin lỗi, tôi không tìm thấy con mèo nào trong hình.",
    "Không phát hiện đối tượng nào.",
    "Hình ảnh không chứa con mèo nào.",
    "Rất tiếc, không thể tìm thấy đối tượng nào.",
    "لا توجد قطط في الصورة.",
    "لا يوجد أي كلب في هذه الصورة.",
    "عذرًا، لا أرى أي قطط في الصورة.",
    "لم يتم العثور على أي كائنات.",
    "الصورة لا تحتوي على قطط.",
    "ليس هناك قطط في الصورة.",
    "القطة غير موجودة في الصورة.",
    "للأسف، لا توجد قطط.",
    "छवि में कोई बिल्ली नहीं है।",
    "इस तस्वीर में कोई बिल्ली या कुत्ता नहीं है।",
    "मुझे खेद है, लेकिन मुझे छवि में कोई बिल्ली नहीं दिखी।",
    "कोई वस्तु नहीं मिली।",
    "बिल्ली छवि में मौजूद नहीं है।",
    "कुछ नहीं मिला।",
    "yok",
    "Không",
    "Brak.",
    "Geen",
    "Przepraszam, ale nie ma tu kotów.",
]
OTHERS = [
    "Geen probleem, ik help je graag.",
    "Ik zie een kat links op de foto.",
    "Er is geen hond, maar wel een kat links.",
    "Er zijn geen honden. Er is een kat links op de foto.",
    "Ik kan je niet helpen.",
    "Ik kan geen afbeelding zien.",
    "Nie ma problemu.",
    "Nie ma psa, ale jest kot po lewej.",
    "Na obrazie nie ma psów. Widać dwa koty.",
    "Nie mogę pomóc.",
    "Kot znajduje się po lewej stronie.",
    "Görüntüde bir kedi var.",
    "Sorun yok.",
    "Köpek yok ama bir kedi var.",
    "Görüntüyü göremiyorum.",
    "Yardım edemem.",
    "Có một con mèo trong hình.",
    "Không có con chó, nhưng có một con mèo.",
    "Không có vấn đề gì.",
    "Tôi không thể giúp bạn.",
    "Có con mèo nào trong hình không?",
    "هناك قطة في الصورة.",
    "لا توجد كلاب، ولكن هناك قطة على اليسار.",
    "لا توجد مشكلة.",
    "لا أستطيع مساعدتك.",
    "هل توجد قطة؟",
    "छवि में एक बिल्ली है।",
    "कोई समस्या नहीं।",
    "कोई कुत्ता नहीं है, लेकिन एक बिल्ली है।",
    "मैं मदद नहीं कर सकता।",
    "NIC card on the left",
    "nie",
    "kot",
]


@pytest.mark.parametrize("text", DENIALS)
def test_denials(text: str) -> None:
    assert denies(text)
    assert denies(unicodedata.normalize("NFD", text)), "accents as marks of their own"
    assert denies(text.upper())


@pytest.mark.parametrize("text", OTHERS)
def test_other_texts_deny_nothing(text: str) -> None:
    assert not denies(text)
