"""How an answer says in words that there is nothing to find, by language.

Patterns are matched against one clause in lower case, without the punctuation at its ends. How to
add a language: write a `Phrases` and put it into `MORE_LANGUAGES` of `denial_more_phrases`.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Phrases:
    """What one language says, as sources of regular expressions.

    Attributes:
        denials: a whole clause that says that there is nothing.
        blocked: in such a clause: it denies something else, or not everything.
        affirms: in another clause: something is there after all.
        leads: what may come before a denial and says nothing itself.
    """

    denials: tuple[str, ...]
    blocked: tuple[str, ...] = ()
    affirms: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()


# What an answer may consist of, in whatever language.
WORDS = frozenset(
    re.findall(
        r"\S+",
        "none nothing null nil no n/a empty absent leer keine nichts aucun aucune rien vide "
        "néant ninguno ninguna nada vacío nenhum nenhuma vazio nessuno niente nulla нет "
        "ничего пусто "
        "无 無 空 没有 沒有 不存在 なし 無し 該当なし 検出なし 없음 없습니다 "
        "geen niets leeg brak nic yok hiçbiri không لا فارغ नहीं",
    )
)

_SEEN = (
    r"(?:visible|present|detect(?:ed|able)|found|seen|located|identified|identifiable|"
    r"recogni[sz]ed|"
    r"shown|depicted|observed|discernible|spotted|noticed|there|here|available|contained|included|"
    r"in (?:the|this|your) |within |among |anywhere|matched|listed)"
)
_BE = (
    r"(?:is|are|was|were|has been|have been|had been|can be|could be|appears?(?: to be)?|"
    r"seems? to be)"
)
_LOOK = (
    r"(?:see|find|found|detect(?:ed)?|locate|identify|identified|spot|observe|recogni[sz]e|discern|"
    r"notice|perceive|make out)"
)
_CANNOT = (
    r"(?:do not|don't|did not|didn't|can not|cannot|can't|could not|couldn't|am unable to|"
    r"was unable to|am not able to|was not able to|'m unable to|'m not able to|have not|haven't|"
    r"fail(?:ed)? to)"
)
_PICTURE = r"(?:image|picture|photo(?:graph)?|scene|frame|screenshot|drawing|view)"
_THERE_IS = r"there(?:'s| is| are| was| were)"

ENGLISH = Phrases(
    denials=(
        # There are no cats.
        rf"{_THERE_IS}(?: \w+ly| therefore| also| still)? (?:no|not (?:any|a|an)|nothing|none|"
        rf"neither|"
        r"zero|0)\b.*",
        r"there (?:isn't|aren't|wasn't|weren't) (?:any|a|an|anything|\w+s\b).*",
        r"there (?:does not|doesn't|do not|don't) (?:appear|seem) to be (?:any|a|an)\b.+",
        r"there (?:appears?|seems?) to be (?:no|nothing|none)\b.*",
        # No cats are visible. No cats in the image.
        rf"(?:no|zero|0|not a single) (?!i |you |we |it |they |this |that |the ).{{1,150}}? {_BE} "
        rf"(?:\w+ly )?{_SEEN}.*",
        r"(?:no|zero|0|not a single|no such) (?!i |you |we |it |they |this |that |the |there|hay "
        r"|se |puedo |veo |es )"
        r"(?!.*\b(?:is|are|was|were|can|could|will|would|should|has|have|had|do|does|"
        r"did)\b).{1,150}",
        rf"(?:none|nothing|nobody|no one|neither)(?: of .{{1,100}}?| .{{1,60}}? nor .{{1,60}}?)? "
        rf"{_BE} "
        rf"(?:\w+ly )?{_SEEN}.*",
        rf"(?:none|nothing)(?: of .{{1,60}})? (?:was |were |is |are )?(?:to \w+|match\w+|"
        rf"{_SEEN}).*",
        # I don't see any cats.
        rf"(?:i|we|the model) ?{_CANNOT} (?:\w+ly )?{_LOOK} (?:any|anything|a|an|the|such|it|them|"
        r"either|\w+s)\b.*",
        rf"(?:unable to|could not|couldn't|cannot|can't|failed to|did not|didn't) {_LOOK} "
        r"(?:any|anything|a|an|the|such|it|them|\w+s)\b.*",
        rf"(?:i|we) (?:can )?{_LOOK} (?:no|nothing|none)\b.*",
        r"i (?:do not|don't) (?:think|believe)(?: that)? there (?:is|are) (?:a|an|any)\b.+",
        # The image does not contain any cats.
        rf"(?:(?:the|this|that|your|provided|given|uploaded) )?(?:\w+ )?(?:{_PICTURE}|it)"
        r"(?: (?:that )?(?:you )?(?:provided|shared|uploaded|sent))? (?:does not|doesn't|did not|"
        r"didn't)"
        r"(?: appear to| seem to| actually)? (?:contain|show|have|include|depict|feature|"
        r"display).+",
        rf"(?:(?:the|this|that|your|provided|given|uploaded) )?(?:\w+ )?(?:{_PICTURE}|it) "
        r"(?:contains?|shows?|has|includes?|depicts?|features?) (?:no|none|nothing|zero|"
        r"neither)\b.*",
        r"(?:the )?(?:list|result|output|answer|set)(?: of .{1,40})? (?:is|are) (?:empty|none)",
        # The cats are not visible. Object not found.
        rf"(?!.*\b(?:who|whose|which|where)\b)[^']{{1,150}}? (?:(?:is|are|was|were|has|have|"
        rf"could|do|does|"
        rf"did)(?: not|n't)|cannot|can't|can not)(?: been| be| appear to be| appear| exist)?"
        rf"(?: \w+ly)?(?: {_SEEN}(?:(?:in|on|at|from|within|among|any) .*|\W.*)?)?(?<! "
        rf"not)(?<!n't)(?<!cannot)",
        rf"(?:[^,]{{1,60}} )?not {_SEEN}(?:(?<= ).*| in .*)?",
        r"[^,]{1,100} (?:is|are) (?:absent|nowhere to be (?:seen|found)|missing from .+)(?: "
        r"(?:from|in) .+)?",
        # cat: none
        rf"[^:,]{{1,60}}: ?(?:none|no|n/a|null|nothing|absent|not {_SEEN}.*|no \w.*)",
    ),
    blocked=(
        r"\b(?:no|any|not a|not an|zero|isn't a|isn't any) (?:\w+ )?(?:doubt|need|reason|way|"
        r"problems?|"
        r"questions?|mistake|difference|chance|wonder|guarantee|point in|idea|worries|matter|"
        r"thanks|comment|"
        r"issues?|parking|smoking|entry|trespassing|exit|stopping|u-turns?|(?:left|right) "
        r"turns?)\b",
        r"\bno (?:other|longer|more|fewer|less|further|additional|different|better)\b",
        r"\b(?:any|one|nothing|anything|nobody) (?:other|else|but)\b|\bnone other\b",
        r"\b(?:except|besides|other than|apart from|aside from|instead|only|not just)\b",
        r"\b(?:enough|sufficient|clearly|well|properly|fully|entire(?:ly)?|whole|precise(?:ly)?|"
        r"exact(?:ly)?|"
        r"certain|sure|clear|because|why|how)\b",
        rf"(?:,|and|;) {_THERE_IS} (?!no\b|not\b|none\b|nothing\b|neither\b)",
        r", (?:and )?(?:a|an|one|two|three|some|several|just|here)\b",
        r"^(?:if|when|unless|whether|where|should|in case|say)\b",
        # a refusal, or no image at all
        r"\b(?:no|any|an|see the|see your|view the|access the|open the) (?:\w+ )?(?:images?|"
        r"pictures?|photos?|"
        r"attachments?|files?)\b(?: (?:provided|attached|uploaded|shared|included|given|"
        r"available|was|were|"
        r"has|have|to )|$)",
        r"\b(?:as an ai|language model|text-based|in images|in photos|images directly|who (?:is|"
        r"the)|help|"
        r"assist|answer your|identify (?:the|this|that|specific|real|individual)\b)",
    ),
    affirms=(
        rf"\b{_THERE_IS} (?!no\b|not\b|none\b|nothing\b|neither\b|\w+ly no\b)",
        rf"\b(?:i|we) (?:can |could |do )?(?:also )?{_LOOK} (?!no\b|nothing\b|none\b|any\b)",
        r"\b(?:is|are) (?:located|situated|positioned|visible|present|at|on|here|there)\b",
        r"\b(?:at|on|in|to) the (?:far )?(?:left|right|top|bottom|center|centre|upper|lower|"
        r"middle|corner)\b",
        r": ?(?:yes|present|found|detected|visible)\b|\b(?:here|these) (?:is|are)\b|\bexcept\b",
        r"^(?:a|an|one|two|three|some|several|just|only|maybe) ",
    ),
    leads=(
        r"i(?:'m| am) (?:very |so |really )?(?:sorry|afraid)(?: to say)?(?: that)?",
        r"sorry|my apologies|apologies|i apologi[sz]e(?: for [\w ]{1,40})?|unfortunately|"
        r"regrettably",
        r"however|but|well|sure|okay|ok|yes|no(?=,)|so|therefore|thus|hence|and|also|actually|"
        r"currently",
        r"(?:the )?(?:final )?(?:answer|results?|output|response)(?: is(?: that)?)?|(?:please "
        r")?note(?: that)?",
        r"(?:after|upon|based on|looking at|having|from|as far as|according to|given) "
        r"[^,]{1,80}(?=,)",
        rf"(?:in|on|from|for) (?:the|this|your) (?:\w+ )?{_PICTURE}(?: provided)?",
        r"it (?:seems|appears|looks)(?: like| as if| as though| that)?",
        r"it is (?:clear|evident|apparent) that|i (?:believe|think|confirm|can confirm|"
        r"conclude)(?: that)?",
        r"i (?:can )?see that|let me (?:look|see|check|analyze|examine)[^,]{0,60}",
        r"i(?:'ve| have) (?:carefully )?(?:looked|examined|checked|reviewed|analy[sz]ed|"
        r"scanned)[^,]{0,80}"
        r"(?: and|,|$)",
    ),
)

CHINESE = Phrases(
    denials=(
        r".{0,60}(?:没有|未能|并未|均未|都未|尚未|未|没能|没|无法|沒有|沒能|沒|無法|並未|不能)"
        r"(?:在.{1,20})?(?:检测|发现|找到|找|看到|看见|识别|出现|包含|存在|显示|含有|定位|观察|"
        r"見|見到|檢測|"
        r"發現|看見|識別|出現|顯示|偵測)(?:到|出)?.{0,80}",
        r".{0,40}(?:没有|沒有|不存在|不包含|不含|并无|並無|无任何|無任何).{0,80}",
        r"(?:图片|图像|图|照片|画面|圖片|圖像|圖|照片)?(?:中|里|裡)?(?:无|無)[^法论論须須].{0,40}",
    ),
    blocked=(
        r"(?:没有|沒有|没|无|無)(?:什么|任何|太大)?(?:问题|問題|疑问|疑問|疑|其他|其它|别的|別的|"
        r"关系|關係|必要|办法|"
        r"辦法|足够|足夠|明确|明確|清晰|意义|意義|提供|图片|图像|圖片|上传|上傳|区别|不同)",
        r"不清楚|不仅|不僅|不但|除了|以外|之外|只有|是否|如果|若|(?:无法|無法|不能)(?:查看|访问|"
        r"处理|帮助|确定|判断)",
        r"吗$|嗎$|(?:看到|看见|识别|读取)(?:图片|图像|圖片)$|还有|還有|有没有",
    ),
    affirms=(
        r"^(?:但|但是|不过|不過|只|而|却|然而|還|还)?(?:有|存在|看到|可以看到|是|发现)|有一|位于|"
        r"位於|在左|在右",
    ),
    leads=(
        r"(?:非常|很)?(?:抱歉|对不起|對不起|不好意思|遗憾|遺憾)|好的|您好|答案|结果|結果|答|"
        r"根据.{0,30}|經.{0,20}|经.{0,20}",
        r"在(?:这|该|此|給|给|這|該)?.{0,10}(?:图|圖|照片|画面)(?:片|像)?(?:中|里|裡)?(?=$)",
    ),
)

JAPANESE = Phrases(
    denials=(
        r".{0,80}(?:見つか|見付か|見当た)(?:りません|らな|っていません).*",
        r".{0,80}(?:検出|確認|発見|認識|特定|検知)(?:され|でき|し)(?:ません|ない|なかった|"
        r"ていません|ていない).*",
        r".{0,80}(?:存在し|含まれ|含まれてい|写ってい|映ってい|見え|見られ|含んでい)(?:ません|"
        r"ない|なかった).*",
        r".{0,80}(?:は|が|も)(?:あり|い)ません(?:でした)?.{0,6}",
        r".{0,80}(?:は|が|も)(?:い|)ない(?:です|ようです)?",
        r".{0,40}(?:該当|検出|対象)(?:物|物体|結果|オブジェクト)?(?:は)?(?:なし|無し|ゼロ)",
    ),
    blocked=(
        r"問題|わかりません|分かりません|かね|他に|以外|だけ|しか|必要|かもしれ|間違い|はっきり|"
        r"もし|場合|画像(?:が|は)"
        r"(?:あり|提供|添付|見え|見つ)|画像を|か$",
    ),
    affirms=(r"(?:が|は|も)(?:い|あり)ます|見えます|写っています|(?:左|右|上|下|中央)(?:側)?に",),
    leads=(
        r"(?:大変)?(?:申し訳|もうしわけ)(?:あり|ござい)ません(?:が)?|すみません(?:が)?|"
        r"残念ながら|この画像に(?:は)?(?=$)",
    ),
)

KOREAN = Phrases(
    denials=(
        r".{0,80}(?:보이|나타나|존재하|포함되|포함되어 있|포함하고 있|감지되|발견되|검출되|"
        r"탐지되|확인되|인식되|식별되|있)지 "
        r"(?:않|못).*",
        r".{0,80}(?:찾|볼|확인할|발견할|감지할|식별할|탐지할|찾을) ?수 없.*",
        r".{0,80}(?<!수) ?(?<!수 )없(?:습니다|어요|음|다|네요|었습니다)",
        r".{0,80}(?:찾지|발견하지|감지하지|식별하지|탐지하지) 못.*",
    ),
    blocked=(
        r"문제|의심|다른|외에|제외|필요|이미지(?:가|를)|사진(?:이|을) (?:없|볼)|(?<!지)만 |만약|"
        r"경우|명확|확실|알 수|도울|도와",
    ),
    affirms=(r"있습니다|있어요|보입니다|왼쪽에|오른쪽에",),
    leads=(r"죄송합니다만|죄송하지만|죄송합니다|안타깝게도|유감스럽게도|아니요|네",),
)

_KEIN = r"(?:kein(?:e|en|er|es|em)?|nichts|niemand)"
GERMAN = Phrases(
    denials=(
        rf"(?:(?:auf|in|im) .{{1,60}} )?(?:es )?(?:gibt|sind|ist|befindet|befinden|wurden?|"
        rf"konnten?|lassen|"
        rf"war|waren|sehe|kann|finde|erkenne)(?: .{{0,60}}?)? {_KEIN}\b.*",
        rf"{_KEIN} .{{1,120}}",
        rf"(?:ich|wir) (?:kann|konnte|sehe|habe|finde|erkenne|können)(?: .{{0,60}}?)? {_KEIN}\b.*",
        rf"(?:das|dieses|auf dem) (?:\w+ )?(?:bild|foto) (?:enthält|zeigt|hat)(?: .{{0,40}}?)? "
        rf"{_KEIN}\b.*",
        r".{1,80} (?:ist|sind|wurden?|konnten?)(?: .{0,40}?)? nicht (?:.{0,40} )?(?:vorhanden|"
        r"sichtbar|"
        r"zu sehen|gefunden|erkannt|erkennbar|enthalten|im bild|abgebildet|entdeckt).*",
        r"(?:.{1,40} )?nicht (?:gefunden|vorhanden|sichtbar|erkannt)",
    ),
    blocked=(
        rf"{_KEIN} (?:problem|zweifel|ander|bild|ahnung|frage|grund|weiter|zusätzlich|sorge|mehr)",
        r"\b(?:außer|nur|sondern|klar|deutlich|wenn|falls|ob|helfen|genug)\b|, (?:ein|eine|einen|"
        r"aber)\b",
    ),
    affirms=(
        r"\b(?:gibt es|ist|sind|sehe ich|befindet sich|zeigt|steht|sitzt)\b.{0,20} (?:ein|eine|"
        r"einen|zwei|links|rechts)\b",
        r"^(?:ein|eine|einen|zwei|drei) ",
    ),
    leads=(
        r"(?:es tut mir leid|tut mir leid|entschuldigung|leider|aber|nein(?=,)|antwort|ergebnis|"
        r"dass)",
    ),
)

FRENCH = Phrases(
    denials=(
        r"(?:.{0,60} )?(?:il )?n'y (?:en )?a (?:pas|aucune?|rien|ni)\b.*",
        r"aucune? .{1,120}|pas (?:de |d').{1,80}|rien (?:à|n'|de|dans).*",
        r"(?:.{0,60} )?je n(?:e |')(?:vois|trouve|détecte|peux|distingue|parviens|repère|"
        r"ai)\b.{0,60}?"
        r"(?:pas|aucune?|rien)\b.*",
        r"(?:l'|cette |la |le )?(?:image|photo|scène|cliché) (?:fournie )?ne (?:contient|montre|"
        r"présente|comporte|"
        r"comprend) (?:pas|aucune?|rien|ni)\b.*",
        r".{1,80} (?:n'est|ne sont|n'a|n'ont|n'apparaît|n'apparaissent)(?: pas)?(?: été)? "
        r"(?:présente?s?|visibles?|"
        r"détectée?s?|trouvée?s?|dans l'image).*",
        r"(?:.{1,40} )?non (?:trouvée?|détectée?|visible|présente?)s?",
    ),
    blocked=(
        r"(?:aucune?|pas de|pas d') ?(?:doute|problème|autre|souci|idée|image|quoi|mal)",
        r"\b(?:sauf|excepté|à part|hormis|seulement|autres?|clair|clairement|aider|si|mais|que "
        r"des?)\b|l'image$(?<=voir l'image)|"
        r", (?:un|une|deux|il y a)\b",
    ),
    affirms=(
        r"\bil y a (?:un|une|deux|des|le|la)\b|\bje vois (?:un|une|des|le|la)\b|\bse trouve",
        r"^(?:un|une|deux|des|seulement) ",
    ),
    leads=(
        r"(?:je suis )?désolée?|je m'excuse|malheureusement|mais|non(?=,)|réponse|résultat",
        r"(?:dans|sur) (?:l'|cette |la )(?:image|photo|scène)(?: fournie)?",
    ),
)

_ES_SEEN = (
    r"(?:ve|ven|veo|observ\w+|detect\w+|encontr\w+|encuentr\w+|"
    r"aprecia\w*|identific\w+|muestra\w*|visualiz\w+|localiz\w+)"
)
SPANISH = Phrases(
    denials=(
        rf"(?:.{{0,60}} )?no (?:hay|existen?|(?:se |he |ha |han |pude |puedo |pudo |pudieron |"
        rf"puede |pueden |"
        rf"logro |es posible )*{_ES_SEEN}|ver)\b.+",
        rf"(?:.{{0,60}} )?no se (?:pueden? |pudo |pudieron |ha |han )?(?:ver|{_ES_SEEN})\b.*",
        r"(?:la |esta |el )?(?:imagen|foto|fotografía|escena)(?: proporcionada)? no (?:contiene|"
        r"muestra|incluye|tiene|presenta)\b.+",
        r".{1,80} no (?:aparecen?|está|están|son|es|fue|fueron) ?(?:presentes?|visibles?|en la "
        r"imagen|detectad\w+|encontrad\w+)?",
        r"ning[uú]n[oa]?\b.{1,120}|nada (?:que|en|fue|detectado|encontrado).*|sin (?:objetos|"
        r"detecciones|resultados).*",
        r"(?:.{1,40} )?no (?:encontrad\w+|detectad\w+|visibles?|presentes?)",
    ),
    blocked=(
        r"no hay (?:duda|problema|de qué|otr|más|suficiente|necesidad|imagen|manera|razón)",
        r"\b(?:excepto|salvo|aparte|además|s[óo]lo|sino|otr[oa]s?|clar[oa]|claramente|si|"
        r"ayudar\w*|bien|pero)\b|"
        r"(?:veo|ver) (?:la|ninguna) imagen$|, (?:un|una|dos|hay)\b",
    ),
    affirms=(
        r"(?<!no )\bhay (?:un|una|dos|varios|varias|el|la)\b|\bveo un|^(?:un|una|dos|solo|sólo) ",
    ),
    leads=(
        r"lo siento|lo lamento|disculpe?|lamentablemente|desafortunadamente|pero|respuesta|"
        r"resultado",
        r"en (?:la|esta) (?:imagen|foto|escena)(?=,)",
    ),
)

PORTUGUESE = Phrases(
    denials=(
        r"(?:.{0,60} )?não (?:há|existem?|vejo|encontr\w+|detect\w+|consig\w+ (?:ver|encontrar|"
        r"detectar|identificar)|"
        r"foram? (?:encontrad|detectad|identificad)\w+|foi (?:encontrad|detectad|"
        r"identificad)\w+)\b.*",
        r"(?:a |esta |na )?(?:imagem|foto|cena) não (?:contém|mostra|inclui|tem|apresenta)\b.+",
        r"nenhuma? .{1,120}|nada (?:foi|encontrado|detectado|na).*",
    ),
    blocked=(
        r"(?:não há|nenhum) (?:dúvida|problema|outr|mais|imagem)",
        r"\b(?:exceto|além|somente|apenas|mas|outr[oa]s?|clar[oa]|se|ajudar)\b",
    ),
    affirms=(r"(?<!não )\bhá (?:um|uma|dois|duas)\b|\bvejo um|^(?:um|uma) ",),
    leads=(r"desculpe|sinto muito|infelizmente|mas",),
)

ITALIAN = Phrases(
    denials=(
        r"(?:.{0,60} )?non (?:ci sono|c'è|vedo|trovo|rilevo|riesco a (?:vedere|trovare|"
        r"individuare)|sono (?:presenti|"
        r"visibili|stati|state)|è (?:presente|visibile|stato|stata)|contiene|mostra|ho "
        r"trovato)\b.*",
        r"nessun(?:o|a|')? ?.{1,120}|niente (?:da|di).*",
    ),
    blocked=(
        r"(?:non ci sono|nessun|non c'è) (?:dubbi|problem|altr|immagin)",
        r"\b(?:tranne|eccetto|solo|soltanto|altr[oiae]|chiar[oa]|se|ma|aiutar\w*)\b|, (?:un|una|"
        r"due|c'è)\b",
    ),
    affirms=(r"(?<!non )\b(?:c'è|ci sono) |\bvedo un|^(?:un|una|due) ",),
    leads=(r"mi dispiace|spiacente|purtroppo|ma|nell'immagine(?=,| )",),
)

RUSSIAN = Phrases(
    denials=(
        r"(?:.{0,80} )?(?:нет|отсутству\w+)\b.*",
        r"(?:.{0,80} )?не (?:был[аио]? )?(?:обнаруж\w+|найден\w*|нашел|нашёл|видно|вижу|видн\w+|"
        r"содерж\w+|наблюда\w+|"
        r"представлен\w*|присутств\w+|удалось (?:обнаружить|найти|увидеть)|могу (?:найти|"
        r"обнаружить|увидеть)|"
        r"изображен\w*|показ\w+|существу\w+|замет\w+)\b.*",
        r"(?:ничего|никаких|никого|ни одного|ни одной) .{1,80}",
    ),
    blocked=(
        r"нет (?:сомнен|проблем|друг|необходим|смысла|уверен|причин|изображени\w$)",
        r"\b(?:кроме|исключением|только|ясно|помочь|помимо|если|четко|чётко|а есть|но)\b",
    ),
    affirms=(r"(?<!не )\b(?:есть|вижу|находится|находятся|видна|виден|видны|изображен\w*)\b",),
    leads=(
        r"извините|простите|к сожалению|но|нет(?=,)|ответ|результат|на (?:этом |данном "
        r")?изображении(?=,)",
    ),
)

LANGUAGES: dict[str, Phrases] = {
    "English": ENGLISH,
    "Chinese": CHINESE,
    "Japanese": JAPANESE,
    "Korean": KOREAN,
    "German": GERMAN,
    "French": FRENCH,
    "Spanish": SPANISH,
    "Portuguese": PORTUGUESE,
    "Italian": ITALIAN,
    "Russian": RUSSIAN,
}
