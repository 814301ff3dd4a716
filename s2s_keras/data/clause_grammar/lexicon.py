"""Words of the synthetic clause grammar: pure data, English beside German."""

from s2s_keras.data.clause_grammar.entries import Determiner
from s2s_keras.data.clause_grammar.entries import lines
from s2s_keras.data.clause_grammar.entries import read_modal
from s2s_keras.data.clause_grammar.entries import read_noun
from s2s_keras.data.clause_grammar.entries import read_pairs
from s2s_keras.data.clause_grammar.entries import read_place
from s2s_keras.data.clause_grammar.entries import read_relation
from s2s_keras.data.clause_grammar.entries import read_verb

_ADULT = "old young friendly clever"
_YOUNG = "little friendly clever"
_ROYAL = "old young clever"
_COLOURS = "red black green"
_MACHINE = "machine ware own"

# "the" and "a" go with a person; "my", "our", "his" go with kin.
_PEOPLE = f"""
woman women | Frau Frauen f | person adult | {_ADULT}
man men | Mann Männer m | person adult | {_ADULT}
child children | Kind Kinder n | person | {_YOUNG}
girl girls | Mädchen Mädchen n | person | {_YOUNG}
teacher teachers | Lehrerin Lehrerinnen f | person adult | {_ADULT}
baker bakers | Bäcker Bäcker m | person adult | {_ADULT}
singer singers | Sängerin Sängerinnen f | person adult | {_ADULT}
painter painters | Maler Maler m | person adult | {_ADULT}
gardener gardeners | Gärtner Gärtner m | person adult | {_ADULT}
doctor doctors | Ärztin Ärztinnen f | person adult | {_ADULT}
neighbour neighbours | Nachbarin Nachbarinnen f | person adult | {_ADULT}
king kings | König Könige m | person adult | {_ROYAL}
queen queens | Königin Königinnen f | person adult | {_ROYAL}
guest guests | Gast Gäste m | person adult | {_ADULT}
mother | Mutter f | person adult kin
father | Vater m | person adult kin
grandmother | Großmutter f | person adult kin | old
sister sisters | Schwester Schwestern f | person kin | little
brother brothers | Bruder Brüder m | person kin | little
daughter daughters | Tochter Töchter f | person kin | little
son sons | Sohn Söhne m | person kin | little
friend friends | Freund Freunde m | person adult kin | old clever
"""

# Kinds say what may happen to a thing: see the objects of the verbs below.
_THINGS = f"""
book books | Buch Bücher n | text small ware own | old new
letter letters | Brief Briefe m | text small | old beautiful
newspaper newspapers | Zeitung Zeitungen f | text small ware | old new
song songs | Lied Lieder n | song | old new beautiful
picture pictures | Bild Bilder n | art ware own | old beautiful
coat coats | Mantel Mäntel m | cloth small ware own | {_COLOURS}
hat hats | Hut Hüte m | cloth small ware own | {_COLOURS}
key keys | Schlüssel Schlüssel m | small own | old new little
bag bags | Tasche Taschen f | small ware own | new {_COLOURS}
umbrella umbrellas | Regenschirm Regenschirme m | small ware own | {_COLOURS}
ball balls | Ball Bälle m | small own | new red green
lamp lamps | Lampe Lampen f | {_MACHINE} | old new
radio radios | Radio Radios n | {_MACHINE} | old new
clock clocks | Uhr Uhren f | {_MACHINE} | old beautiful
car cars | Auto Autos n | vehicle {_MACHINE} | old new big red
bicycle bicycles | Fahrrad Fahrräder n | vehicle {_MACHINE} | old new green
table tables | Tisch Tische m | {_MACHINE} | old new big
house houses | Haus Häuser n | building own | old big beautiful
door doors | Tür Türen f | opening | old green
window windows | Fenster Fenster n | opening | big little
flower flowers | Blume Blumen f | plant | red beautiful
tree trees | Baum Bäume m | tall | old big beautiful
dog dogs | Hund Hunde m | animal own | old big little black
cat cats | Katze Katzen f | animal own | old little black
apple apples | Apfel Äpfel m | food fruit | red green fresh
egg eggs | Ei Eier n | food fruit | big fresh
cake cakes | Kuchen Kuchen m | food baked | big fresh
bread | Brot n | mass food baked fruit | fresh
cheese | Käse m | mass food fruit | old fresh
tea | Tee m | mass drink | hot cold
coffee | Kaffee m | mass drink | hot cold
milk | Milch f | mass drink | hot cold fresh
"""

# Second lines: being there, going there, and what for.
_PLACES = """
garden | Garten m | place | old big beautiful
    in | in | im | in den | read, work, look for, play, sleep
kitchen | Küche f | place | big little
    in | in | in der | in die | eat, drink, bake, help
park | Park m | place | old big beautiful
    in | in | im | in den | play, paint, wait for, look for
school | Schule f | place | old little
    at | in | in der | in die | work, speak with, look for, help
village | Dorf n | place | little beautiful
    in | in | im | ins | visit, help, buy, sell
town | Stadt f | place | old big
    in | in | in der | in die | visit, buy, sell, work
library | Bibliothek f | place | old new
    in | in | in der | in die | read, work, look for
market | Markt m | place | big
    at | auf | auf dem | auf den | buy, sell
station | Bahnhof m | place | old new big
    at | an | am | zum | wait for, look for
lake | See m | place | big cold
    at | an | am | an den | swim, play, paint
"""

_GOODS = "ware fruit drink baked plant vehicle"
_NEEDS = "cloth machine vehicle animal fruit key bag umbrella book"
_HOSTS = "kin woman man child girl teacher painter doctor neighbour king queen"
_BAKERS = "baker woman man neighbour kin"
_PLAYERS = "child girl sister brother daughter son"
_HOME = "garden kitchen"
_OUTSIDE = "garden park village town lake"
_SHOPS = "market village town"
_BUSY = "park village town market station"
_ANYWHERE = "garden kitchen park school village library market station lake"
_PACE = "slowly quickly"

# Second lines: pattern, objects, places, manners, traits, subjects.
_VERBS = f"""
read reads read read | liest lesen gelesen
    acc | text | garden kitchen park library | slowly quietly | lasting then
write writes wrote written | schreibt schreiben geschrieben
    acc | letter book song | garden kitchen library | {_PACE} | lasting gain
buy buys bought bought | kauft kaufen gekauft
    acc | {_GOODS} | {_SHOPS} | quickly | gain rare
sell sells sold sold | verkauft verkaufen verkauft
    acc | ware fruit baked | {_SHOPS} | quickly | then rare
find finds found found | findet finden gefunden
    acc | small animal | {_ANYWHERE} | quickly | gain moment rare
lose loses lost lost | verliert verlieren verloren
    acc | small | {_BUSY} | - | then chance
forget forgets forgot forgotten | vergisst vergessen vergessen
    acc | small | kitchen school library station | - | then chance
need needs needed needed | braucht brauchen gebraucht brauchte
    acc | {_NEEDS} | - | - | state reason
love loves loved loved | liebt lieben geliebt liebte
    acc | song art kin animal building plant | - | - | state
know knows knew known | kennt kennen gekannt kannte
    acc | person song building | - | - | state
look looks looked looked, for | sucht suchen gesucht
    acc | small animal person | {_ANYWHERE} | - | lasting
look looks looked looked, at | sieht sehen gesehen, an
    acc | art building tall plant animal | - | quietly | lasting then
see sees saw seen | sieht sehen gesehen
    acc | person animal vehicle | {_BUSY} | - | moment rare chance
repair repairs repaired repaired | repariert reparieren repariert
    acc | machine opening | {_HOME} | {_PACE} | gain lasting rare
paint paints painted painted | malt malen gemalt
    acc | art tall plant animal | garden park lake | {_PACE} | lasting
bake bakes baked baked | backt backen gebacken
    acc | baked | kitchen | quickly | gain lasting | {_BAKERS}
eat eats ate eaten | isst essen gegessen
    acc | food | garden kitchen park school | {_PACE} | lasting then
drink drinks drank drunk | trinkt trinken getrunken
    acc | drink | garden kitchen park | {_PACE} | lasting then
open opens opened opened | macht machen gemacht, auf
    acc | opening bag letter | - | slowly quietly | moment
close closes closed closed | macht machen gemacht, zu
    acc | opening | - | slowly quietly | moment
pick picks picked picked, up | hebt heben gehoben, auf
    acc | small | park station market | {_PACE} | gain moment rare
take takes took taken, along | nimmt nehmen genommen, mit
    acc | small animal kin fruit | - | - | then
call calls called called | ruft rufen gerufen, an
    acc | person | - | quickly | moment
visit visits visited visited | besucht besuchen besucht
    acc | {_HOSTS} | village town | - | lasting
help helps helped helped | hilft helfen geholfen
    dat | person | garden kitchen school market | - | lasting
listen listens listened listened, to | hört hören gehört, zu
    dat | person | - | quietly | lasting
wait waits waited waited, for | wartet warten gewartet
    auf acc | person | park school market station lake | - | lasting
speak speaks spoke spoken, with | spricht sprechen gesprochen
    mit dat | person | {_ANYWHERE} | loudly quietly | lasting
think thinks thought thought, of | denkt denken gedacht
    an acc | person song | - | - | lasting
give gives gave given | gibt geben gegeben
    dat acc | small fruit plant drink baked | - | - | then
show shows showed shown | zeigt zeigen gezeigt
    dat acc | small art animal vehicle building | - | - | then
send sends sent sent | schickt schicken geschickt
    dat acc | text art plant key | - | - | then
give gives gave given, back | gibt geben gegeben, zurück
    dat acc | small vehicle animal | - | - | rare
sleep sleeps slept slept | schläft schlafen geschlafen
    - | - | garden kitchen park | - | lasting
work works worked worked | arbeitet arbeiten gearbeitet
    - | - | garden kitchen school library market | {_PACE} | lasting | adult
sing sings sang sung | singt singen gesungen
    - | - | {_OUTSIDE} | loudly quietly | lasting
sing sings sang sung | singt singen gesungen
    acc | song | {_OUTSIDE} | loudly quietly | lasting
dance dances danced danced | tanzt tanzen getanzt
    - | - | {_OUTSIDE} | slowly | lasting
play plays played played | spielt spielen gespielt
    - | - | garden park school lake | loudly quietly | lasting | {_PLAYERS}
swim swims swam swum | schwimmt schwimmen geschwommen
    - | - | - | {_PACE} | lasting sein
get gets got got, up | steht stehen gestanden, auf
    - | - | - | {_PACE} | moment sein
arrive arrives arrived arrived | kommt kommen gekommen, an
    - | - | village school station lake market | - | moment sein chance
come comes came come, back | kommt kommen gekommen, zurück
    - | - | - | - | moment sein
go goes went gone | geht gehen gegangen
    to | - | - | {_PACE} | sein
drive drives drove driven | fährt fahren gefahren
    to | - | village town station lake market | - | sein | adult
know knows knew known | weiß wissen gewusst wusste
    that
say says said said | sagt sagen gesagt sagte
    that
hope hopes hoped hoped | hofft hoffen gehofft hoffte
    that
"""
_RAIN = "rain rains rained rained | regnet regnen geregnet"

PEOPLE = tuple(map(read_noun, lines(_PEOPLE)))
THINGS = tuple(map(read_noun, lines(_THINGS)))
PLACES = {line.split()[0]: read_place(line) for line in lines(_PLACES)}
VERBS = tuple(map(read_verb, lines(_VERBS)))
RAIN = tuple(map(read_verb, lines(_RAIN)))

ADJECTIVES = read_pairs(
    "old alt, young jung, little klein, big groß, new neu, beautiful schön,"
    "red rot, black schwarz, green grün, friendly freundlich, clever klug,"
    "fresh frisch, hot heiß, cold kalt"
)
# What a person can be for a while, and what the day can be.
STATES = read_pairs(
    "tired müde, hungry hungrig, ill krank, happy glücklich, sad traurig,"
    "nervous nervös, alone allein"
)
CONDITIONS = read_pairs("cold kalt, warm warm, dark dunkel, late spät")
MANNERS = read_pairs(
    "slowly langsam, quickly schnell, loudly laut, quietly leise"
)
FREQUENCIES = read_pairs(
    "often oft, always immer, sometimes manchmal, never nie"
)

# The frame of a sentence is its time: every clause of it keeps to one.
FRAMES = ("past",) * 4 + ("habit",) * 2 + ("future",) * 3
TIMES = {
    "habit": (
        ("every day", "jeden Tag"),
        ("every morning", "jeden Morgen"),
        ("in the evening", "am Abend"),
        ("on Sunday", "am Sonntag"),
    ),
    "past": (
        ("yesterday", "gestern"),
        ("last week", "letzte Woche"),
        ("in the evening", "am Abend"),
        ("on Monday", "am Montag"),
        ("on Sunday", "am Sonntag"),
    ),
    "future": (
        ("today", "heute"),
        ("tomorrow", "morgen"),
        ("next week", "nächste Woche"),
        ("on Monday", "am Montag"),
        ("soon", "bald"),
    ),
}

_MUST = read_modal("must", "muss müssen", "darf dürfen")
_CAN = read_modal("can", "kann können")
_SHOULD = read_modal("should", "sollte sollten")
WILL = read_modal("will", "wird werden")
_WANT = read_modal("wants to, want to, want to", "will wollen")
_COULD = read_modal("could", "konnte konnten")
_HAD_TO = read_modal("had to, had to, have to", "musste mussten")
_WANTED = read_modal("wanted to, wanted to, want to", "wollte wollten")
MODALS = {
    "habit": (_MUST, _CAN, _WANT),
    "past": (_COULD, _HAD_TO, _WANTED),
    "future": (_MUST, _CAN, _SHOULD, WILL, WILL, _WANT),
}

COORDINATORS = (("and", "und"), ("and", "und"), ("but", "aber"))
_RELATIONS = """
because | weil | main | state rain event reason reason | habit past future
although | obwohl | main | state rain event | habit past future
while | während | plain | lasting | habit past future
before | bevor | plain | happening | habit past future
after | nachdem | pluperfect | happening | past
when | als | plain | moment | past
when | wenn | plain | moment | habit future
if | wenn | plain | state rain | habit future
"""
RELATIONS = tuple(map(read_relation, lines(_RELATIONS)))

THE = Determiner("the", "", "definite")
THE_PLURAL = Determiner("the", "", "definite", True)
A = Determiner("a", "ein", "mixed")
THIS = Determiner("this", "dies", "weak")
THESE = Determiner("these", "dies", "weak", True)
MANY = Determiner("many", "viel", "strong", True)
SOME = Determiner("some", "einig", "strong", True)
NUMBERS = tuple(
    Determiner(english, german, "bare", True)
    for english, german in read_pairs(
        "two zwei, three drei, four vier, five fünf"
    ).items()
)
BARE = Determiner("", "", "bare")
NO = Determiner("no", "kein", "mixed", True)
NOT_A = Determiner("a", "kein", "mixed")
NOT_ANY = Determiner("", "kein", "mixed")
MY = Determiner("my", "mein", "mixed")
OUR = Determiner("our", "unser", "mixed")
POSSESSIVES = {
    "he": Determiner("his", "sein", "mixed"),
    "she": Determiner("her", "ihr", "mixed"),
    "they": Determiner("their", "ihr", "mixed"),
    "we": OUR,
}
NEGATIVE = frozenset([NOT_A, NOT_ANY, NO])
INDEFINITE = NEGATIVE | {A, BARE, MANY, SOME, *NUMBERS}

# The determiners that a noun phrase in some role may take, with weights.
_PLURALS = dict.fromkeys((MANY, SOME, *NUMBERS), 1)
DETERMINERS = {
    "subject": {THE: 16, THE_PLURAL: 8, A: 5, THIS: 2, **_PLURALS},
    "object": {THE: 12, THE_PLURAL: 5, A: 14, THIS: 2, THESE: 1, **_PLURALS},
    "habitual": {THE: 4, THE_PLURAL: 2, A: 3},
    "definite": {THE: 5, THE_PLURAL: 2, THIS: 1},
    "negated": {THE: 3, THE_PLURAL: 1, THIS: 1, NOT_A: 4, NO: 2},
    "mass": {BARE: 3, THE: 2},
    "negated mass": {NOT_ANY: 2, THE: 1},
}

SUBJECT_PRONOUNS = {"he": "er", "she": "sie", "they": "sie", "we": "wir"}
# By gender ("p": plural).
OBJECT_PRONOUNS = {"m": "ihn", "f": "sie", "n": "es", "p": "sie"}
AUXILIARIES = {
    "haben": {"past": ("hat", "haben"), "pluperfect": ("hatte", "hatten")},
    "sein": {"past": ("ist", "sind"), "pluperfect": ("war", "waren")},
}

# Endings by case, then by gender ("p": plural).
DEFINITE = {
    "nom": {"m": "der", "f": "die", "n": "das", "p": "die"},
    "acc": {"m": "den", "f": "die", "n": "das", "p": "die"},
    "dat": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
}
_STRONG_ENDINGS = {
    "nom": {"m": "er", "f": "e", "n": "es", "p": "e"},
    "acc": {"m": "en", "f": "e", "n": "es", "p": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
}
_MIXED_ENDINGS = {
    "nom": {"m": "", "f": "e", "n": "", "p": "e"},
    "acc": {"m": "en", "f": "e", "n": "", "p": "e"},
    "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
}
DETERMINER_ENDINGS = {
    "mixed": _MIXED_ENDINGS,
    "strong": _STRONG_ENDINGS,
    "weak": _STRONG_ENDINGS,
}
ADJECTIVE_ENDINGS = {
    "definite": {
        "nom": {"m": "e", "f": "e", "n": "e", "p": "en"},
        "acc": {"m": "en", "f": "e", "n": "e", "p": "en"},
        "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
    },
    "mixed": {
        "nom": {"m": "er", "f": "e", "n": "es", "p": "en"},
        "acc": {"m": "en", "f": "e", "n": "es", "p": "en"},
        "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
    },
    "strong": _STRONG_ENDINGS,
}
ADJECTIVE_ENDINGS["bare"] = ADJECTIVE_ENDINGS["strong"]
ADJECTIVE_ENDINGS["weak"] = ADJECTIVE_ENDINGS["definite"]
