"""Words of the synthetic clause grammar: pure data, English beside German."""

from typing import NamedTuple


class Noun(NamedTuple):
    """A noun in both languages; an empty plural means "singular only"."""

    english: str
    english_plural: str
    german: str
    german_plural: str
    gender: str  # "m", "f" or "n"
    kinds: frozenset
    adjectives: tuple


class Verb(NamedTuple):
    """A verb in both languages, with what it asks of its companions."""

    base: str
    third: str
    past: str
    participle: str
    particle: str  # "up", or a preposition such as "for"
    german_third: str
    infinitive: str
    german_participle: str
    prefix: str  # separable
    preterite: str  # empty: the perfect tells the past
    pattern: tuple  # (), ("acc",), ("dat", "acc"), ("auf", "acc"), ...
    subjects: frozenset
    objects: frozenset
    places: tuple
    manners: tuple
    traits: frozenset


class Place(NamedTuple):
    """A place, with the German preposition of being there and going there."""

    noun: Noun
    english: str  # preposition of being there
    german: str
    contraction: str  # of preposition and article; empty if there is none
    direction: str  # preposition and article of going there
    purposes: tuple  # English verbs: what one goes there for


class Determiner(NamedTuple):
    """A determiner; `declension` names the row of endings it takes."""

    english: str
    german: str
    declension: str
    plural: bool


class Modal(NamedTuple):
    """A modal verb; `english` holds singular, plural and the base form."""

    english: tuple
    german: tuple  # singular, plural
    negated: tuple  # German forms under negation
    supported: bool  # negates and asks with "do"


class Relation(NamedTuple):
    """A subordinating conjunction and the clauses that suit it."""

    english: str
    german: str
    contents: tuple
    frames: tuple


def _noun(english, german, kinds, adjectives=""):
    words = english.split() + [""]
    german_words = german.split()
    singular, plural = (german_words + [""])[:2]
    gender = german_words[-1]
    if plural == gender:
        plural = ""
    return Noun(
        words[0],
        words[1],
        singular,
        plural,
        gender,
        frozenset([words[0], *kinds.split()]),
        tuple(adjectives.split()),
    )


def _verb(
    english,
    german,
    pattern="",
    objects="",
    places="",
    manners="",
    traits="",
    subjects="person",
    preterite="",
):
    forms, _, particle = english.partition(", ")
    german_forms, _, prefix = german.partition(", ")
    return Verb(
        *forms.split(),
        particle,
        *german_forms.split(),
        prefix,
        preterite,
        tuple(pattern.split()),
        frozenset(subjects.split()),
        frozenset(objects.split()),
        tuple(places.split()),
        tuple(manners.split()),
        frozenset(traits.split()),
    )


_ADULT = "old young friendly clever"
_YOUNG = "little friendly clever"
_ROYAL = "old young clever"

# "the" and "a" go with a person; "my", "our", "his" go with kin.
PEOPLE = (
    _noun("woman women", "Frau Frauen f", "person adult", _ADULT),
    _noun("man men", "Mann Männer m", "person adult", _ADULT),
    _noun("child children", "Kind Kinder n", "person", _YOUNG),
    _noun("girl girls", "Mädchen Mädchen n", "person", _YOUNG),
    _noun("teacher teachers", "Lehrerin Lehrerinnen f", "person adult", _ADULT),
    _noun("baker bakers", "Bäcker Bäcker m", "person adult", _ADULT),
    _noun("singer singers", "Sängerin Sängerinnen f", "person adult", _ADULT),
    _noun("painter painters", "Maler Maler m", "person adult", _ADULT),
    _noun("gardener gardeners", "Gärtner Gärtner m", "person adult", _ADULT),
    _noun("doctor doctors", "Ärztin Ärztinnen f", "person adult", _ADULT),
    _noun(
        "neighbour neighbours",
        "Nachbarin Nachbarinnen f",
        "person adult",
        _ADULT,
    ),
    _noun("king kings", "König Könige m", "person adult", _ROYAL),
    _noun("queen queens", "Königin Königinnen f", "person adult", _ROYAL),
    _noun("guest guests", "Gast Gäste m", "person adult", _ADULT),
    _noun("mother", "Mutter f", "person adult kin"),
    _noun("father", "Vater m", "person adult kin"),
    _noun("grandmother", "Großmutter f", "person adult kin", "old"),
    _noun("sister sisters", "Schwester Schwestern f", "person kin", "little"),
    _noun("brother brothers", "Bruder Brüder m", "person kin", "little"),
    _noun("daughter daughters", "Tochter Töchter f", "person kin", "little"),
    _noun("son sons", "Sohn Söhne m", "person kin", "little"),
    _noun(
        "friend friends", "Freund Freunde m", "person adult kin", "old clever"
    ),
)

_COLOURS = "red black green"

# Kinds say what may happen to a thing: see `objects` in the verbs below.
THINGS = (
    _noun("book books", "Buch Bücher n", "text small ware own", "old new"),
    _noun("letter letters", "Brief Briefe m", "text small", "old beautiful"),
    _noun(
        "newspaper newspapers",
        "Zeitung Zeitungen f",
        "text small ware",
        "old new",
    ),
    _noun("song songs", "Lied Lieder n", "song", "old new beautiful"),
    _noun("picture pictures", "Bild Bilder n", "art ware own", "old beautiful"),
    _noun("coat coats", "Mantel Mäntel m", "cloth small ware own", _COLOURS),
    _noun("hat hats", "Hut Hüte m", "cloth small ware own", _COLOURS),
    _noun("key keys", "Schlüssel Schlüssel m", "small own", "old new little"),
    _noun(
        "bag bags",
        "Tasche Taschen f",
        "small ware own",
        "new " + _COLOURS,
    ),
    _noun(
        "umbrella umbrellas",
        "Regenschirm Regenschirme m",
        "small ware own",
        _COLOURS,
    ),
    _noun("ball balls", "Ball Bälle m", "small own", "new red green"),
    _noun("lamp lamps", "Lampe Lampen f", "device machine ware own", "old new"),
    _noun(
        "radio radios", "Radio Radios n", "device machine ware own", "old new"
    ),
    _noun("clock clocks", "Uhr Uhren f", "machine ware own", "old beautiful"),
    _noun(
        "car cars",
        "Auto Autos n",
        "machine vehicle ware own",
        "old new big red",
    ),
    _noun(
        "bicycle bicycles",
        "Fahrrad Fahrräder n",
        "machine vehicle ware own",
        "old new green",
    ),
    _noun(
        "table tables",
        "Tisch Tische m",
        "machine ware own",
        "old new big",
    ),
    _noun("house houses", "Haus Häuser n", "building own", "old big beautiful"),
    _noun("door doors", "Tür Türen f", "opening", "old green"),
    _noun("window windows", "Fenster Fenster n", "opening", "big little"),
    _noun("flower flowers", "Blume Blumen f", "plant", "red beautiful"),
    _noun("tree trees", "Baum Bäume m", "tall", "old big beautiful"),
    _noun("dog dogs", "Hund Hunde m", "animal own", "old big little black"),
    _noun("cat cats", "Katze Katzen f", "animal own", "old little black"),
    _noun("apple apples", "Apfel Äpfel m", "food fruit", "red green fresh"),
    _noun("egg eggs", "Ei Eier n", "food fruit", "big fresh"),
    _noun("cake cakes", "Kuchen Kuchen m", "food baked", "big fresh"),
    _noun("bread", "Brot n", "mass food baked fruit", "fresh"),
    _noun("cheese", "Käse m", "mass food fruit", "old fresh"),
    _noun("tea", "Tee m", "mass drink", "hot cold"),
    _noun("coffee", "Kaffee m", "mass drink", "hot cold"),
    _noun("milk", "Milch f", "mass drink", "hot cold fresh"),
)

ADJECTIVES = {
    "old": "alt",
    "young": "jung",
    "little": "klein",
    "big": "groß",
    "new": "neu",
    "beautiful": "schön",
    "red": "rot",
    "black": "schwarz",
    "green": "grün",
    "friendly": "freundlich",
    "clever": "klug",
    "fresh": "frisch",
    "hot": "heiß",
    "cold": "kalt",
}

# What a person can be for a while, and what the day can be.
STATES = {
    "tired": "müde",
    "hungry": "hungrig",
    "ill": "krank",
    "happy": "glücklich",
    "sad": "traurig",
    "nervous": "nervös",
    "alone": "allein",
}
CONDITIONS = {"cold": "kalt", "warm": "warm", "dark": "dunkel", "late": "spät"}

PLACES = {
    place.noun.english: place
    for place in (
        Place(
            _noun("garden", "Garten m", "place", "old big beautiful"),
            *("in", "in", "im", "in den"),
            ("read", "work", "look for", "play", "sleep"),
        ),
        Place(
            _noun("kitchen", "Küche f", "place", "big little"),
            *("in", "in", "", "in die"),
            ("eat", "drink", "bake", "help"),
        ),
        Place(
            _noun("park", "Park m", "place", "old big beautiful"),
            *("in", "in", "im", "in den"),
            ("play", "paint", "wait for", "look for"),
        ),
        Place(
            _noun("school", "Schule f", "place", "old little"),
            *("at", "in", "", "in die"),
            ("work", "speak with", "look for", "help"),
        ),
        Place(
            _noun("village", "Dorf n", "place", "little beautiful"),
            *("in", "in", "im", "ins"),
            ("visit", "help", "buy", "sell"),
        ),
        Place(
            _noun("town", "Stadt f", "place", "old big"),
            *("in", "in", "", "in die"),
            ("visit", "buy", "sell", "work"),
        ),
        Place(
            _noun("library", "Bibliothek f", "place", "old new"),
            *("in", "in", "", "in die"),
            ("read", "work", "look for"),
        ),
        Place(
            _noun("market", "Markt m", "place", "big"),
            *("at", "auf", "", "auf den"),
            ("buy", "sell"),
        ),
        Place(
            _noun("station", "Bahnhof m", "place", "old new big"),
            *("at", "an", "am", "zum"),
            ("wait for", "look for"),
        ),
        Place(
            _noun("lake", "See m", "place", "big cold"),
            *("at", "an", "am", "an den"),
            ("swim", "play", "paint"),
        ),
    )
}

_GOODS = "ware fruit drink baked plant vehicle"
_NEEDS = "cloth machine vehicle animal fruit key bag umbrella book"
_HOSTS = "kin woman man child girl teacher painter doctor neighbour king queen"
_HOME = "garden kitchen"
_OUTSIDE = "garden park village town lake"
_SHOPS = "market village town"
_ANYWHERE = "garden kitchen park school village library market station lake"

VERBS = (
    _verb(
        "read reads read read",
        "liest lesen gelesen",
        *("acc", "text", "garden kitchen park library", "slowly quietly"),
        "lasting then",
    ),
    _verb(
        "write writes wrote written",
        "schreibt schreiben geschrieben",
        *(
            "acc",
            "letter book song",
            "garden kitchen library",
            "slowly quickly",
        ),
        "lasting gain",
    ),
    _verb(
        "buy buys bought bought",
        "kauft kaufen gekauft",
        *("acc", _GOODS, _SHOPS, "quickly", "gain sought rare"),
    ),
    _verb(
        "sell sells sold sold",
        "verkauft verkaufen verkauft",
        *("acc", "ware fruit baked", _SHOPS, "quickly", "then rare"),
    ),
    _verb(
        "find finds found found",
        "findet finden gefunden",
        *("acc", "small animal", _ANYWHERE, "quickly", "gain moment rare"),
    ),
    _verb(
        "lose loses lost lost",
        "verliert verlieren verloren",
        *(
            "acc",
            "small",
            "park village town market station",
            "",
            "then chance",
        ),
    ),
    _verb(
        "forget forgets forgot forgotten",
        "vergisst vergessen vergessen",
        *("acc", "small", "kitchen school library station", "", "then chance"),
    ),
    _verb(
        "need needs needed needed",
        "braucht brauchen gebraucht",
        *("acc", _NEEDS, "", "", "state reason"),
        preterite="brauchte",
    ),
    _verb(
        "love loves loved loved",
        "liebt lieben geliebt",
        *("acc", "song art kin animal building plant", "", "", "state"),
        preterite="liebte",
    ),
    _verb(
        "know knows knew known",
        "kennt kennen gekannt",
        *("acc", "person song building", "", "", "state"),
        preterite="kannte",
    ),
    _verb(
        "look looks looked looked, for",
        "sucht suchen gesucht",
        *("acc", "small animal person", _ANYWHERE, "", "lasting sought"),
    ),
    _verb(
        "look looks looked looked, at",
        "sieht sehen gesehen, an",
        *(
            "acc",
            "art building tall plant animal",
            "",
            "quietly",
            "lasting then",
        ),
    ),
    _verb(
        "see sees saw seen",
        "sieht sehen gesehen",
        *("acc", "person animal vehicle", "park village town market station"),
        *("", "moment rare chance"),
    ),
    _verb(
        "repair repairs repaired repaired",
        "repariert reparieren repariert",
        *(
            "acc",
            "machine opening",
            _HOME,
            "slowly quickly",
            "gain sought lasting rare",
        ),
    ),
    _verb(
        "paint paints painted painted",
        "malt malen gemalt",
        *("acc", "art tall plant animal", "garden park lake", "slowly quickly"),
        "lasting",
    ),
    _verb(
        "bake bakes baked baked",
        "backt backen gebacken",
        *("acc", "baked", "kitchen", "quickly", "gain lasting"),
        subjects="baker woman man neighbour kin",
    ),
    _verb(
        "eat eats ate eaten",
        "isst essen gegessen",
        *("acc", "food", "garden kitchen park school", "slowly quickly"),
        "lasting then",
    ),
    _verb(
        "drink drinks drank drunk",
        "trinkt trinken getrunken",
        *(
            "acc",
            "drink",
            "garden kitchen park",
            "slowly quickly",
            "lasting then",
        ),
    ),
    _verb(
        "open opens opened opened",
        "macht machen gemacht, auf",
        *("acc", "opening bag letter", "", "slowly quietly", "moment"),
    ),
    _verb(
        "close closes closed closed",
        "macht machen gemacht, zu",
        *("acc", "opening", "", "slowly quietly", "moment"),
    ),
    _verb(
        "pick picks picked picked, up",
        "hebt heben gehoben, auf",
        *(
            "acc",
            "small",
            "park station market",
            "slowly quickly",
            "gain moment rare",
        ),
    ),
    _verb(
        "throw throws threw thrown, away",
        "wirft werfen geworfen, weg",
        *(
            "acc",
            "newspaper letter hat umbrella",
            "",
            "",
            "then rare",
        ),
    ),
    _verb(
        "bring brings brought brought, back",
        "bringt bringen gebracht, zurück",
        *("acc", "small vehicle", "", "quickly"),
        "rare",
    ),
    _verb(
        "take takes took taken, along",
        "nimmt nehmen genommen, mit",
        *("acc", "small animal kin fruit", "", "", "then"),
    ),
    _verb(
        "turn turns turned turned, off",
        "schaltet schalten geschaltet, aus",
        *("acc", "device", "", "quietly", "moment"),
    ),
    _verb(
        "call calls called called",
        "ruft rufen gerufen, an",
        *("acc", "person", "", "quickly", "moment"),
    ),
    _verb(
        "invite invites invited invited",
        "lädt laden geladen, ein",
        *("acc", "person", "", "", ""),
    ),
    _verb(
        "visit visits visited visited",
        "besucht besuchen besucht",
        *("acc", _HOSTS, "village town", "", "lasting"),
    ),
    _verb(
        "help helps helped helped",
        "hilft helfen geholfen",
        *("dat", "person", "garden kitchen school market", "", "lasting"),
    ),
    _verb(
        "listen listens listened listened, to",
        "hört hören gehört, zu",
        *("dat", "person", "", "quietly", "lasting"),
    ),
    _verb(
        "wait waits waited waited, for",
        "wartet warten gewartet",
        *(
            "auf acc",
            "person",
            "park school market station lake",
            "",
            "lasting",
        ),
    ),
    _verb(
        "speak speaks spoke spoken, with",
        "spricht sprechen gesprochen",
        *("mit dat", "person", _ANYWHERE, "loudly quietly", "lasting"),
    ),
    _verb(
        "think thinks thought thought, of",
        "denkt denken gedacht",
        *("an acc", "person song", "", "", "lasting"),
    ),
    _verb(
        "give gives gave given",
        "gibt geben gegeben",
        *("dat acc", "small fruit plant drink baked", "", "", "then"),
    ),
    _verb(
        "show shows showed shown",
        "zeigt zeigen gezeigt",
        *("dat acc", "small art animal vehicle building", "", "", "then"),
    ),
    _verb(
        "send sends sent sent",
        "schickt schicken geschickt",
        *("dat acc", "text art plant key", "", "", "then"),
    ),
    _verb(
        "give gives gave given, back",
        "gibt geben gegeben, zurück",
        *("dat acc", "small vehicle animal", "", "", "rare"),
    ),
    _verb(
        "sleep sleeps slept slept",
        "schläft schlafen geschlafen",
        *("", "", "garden kitchen park", "", "lasting"),
    ),
    _verb(
        "work works worked worked",
        "arbeitet arbeiten gearbeitet",
        *("", "", "garden kitchen school library market", "slowly quickly"),
        "lasting",
        subjects="adult",
    ),
    _verb(
        "sing sings sang sung",
        "singt singen gesungen",
        *("", "", _OUTSIDE, "loudly quietly", "lasting"),
    ),
    _verb(
        "sing sings sang sung",
        "singt singen gesungen",
        *("acc", "song", _OUTSIDE, "loudly quietly", "lasting"),
    ),
    _verb(
        "dance dances danced danced",
        "tanzt tanzen getanzt",
        *("", "", _OUTSIDE, "slowly", "lasting"),
    ),
    _verb(
        "play plays played played",
        "spielt spielen gespielt",
        *("", "", "garden park school lake", "loudly quietly", "lasting"),
        subjects="child girl sister brother daughter son",
    ),
    _verb(
        "swim swims swam swum",
        "schwimmt schwimmen geschwommen",
        *("", "", "", "slowly quickly", "lasting sein"),
    ),
    _verb(
        "get gets got got, up",
        "steht stehen gestanden, auf",
        *("", "", "", "slowly quickly", "moment sein"),
    ),
    _verb(
        "arrive arrives arrived arrived",
        "kommt kommen gekommen, an",
        *(
            "",
            "",
            "village school station lake market",
            "",
            "moment sein chance",
        ),
    ),
    _verb(
        "come comes came come, back",
        "kommt kommen gekommen, zurück",
        *("", "", "", "", "moment sein"),
    ),
    _verb(
        "go goes went gone",
        "geht gehen gegangen",
        "to",
        *("", "", "slowly quickly", "sein"),
    ),
    _verb(
        "drive drives drove driven",
        "fährt fahren gefahren",
        "to",
        *("", "village town station lake market", "", "sein"),
        subjects="adult",
    ),
    _verb(
        "know knows knew known",
        "weiß wissen gewusst",
        "that",
        preterite="wusste",
    ),
    _verb("say says said said", "sagt sagen gesagt", "that", preterite="sagte"),
    _verb(
        "hope hopes hoped hoped",
        "hofft hoffen gehofft",
        "that",
        preterite="hoffte",
    ),
)

RAIN = (
    _verb("rain rains rained rained", "regnet regnen geregnet", subjects="it"),
)

MANNERS = {
    "slowly": "langsam",
    "quickly": "schnell",
    "loudly": "laut",
    "quietly": "leise",
}

FREQUENCIES = {
    "often": "oft",
    "always": "immer",
    "sometimes": "manchmal",
    "never": "nie",
}

# The frame of a sentence is its time: every clause of it keeps to one.
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

_MUST = Modal(("must",) * 3, ("muss", "müssen"), ("darf", "dürfen"), False)
_CAN = Modal(("can",) * 3, ("kann", "können"), ("kann", "können"), False)
_SHOULD = Modal(
    ("should",) * 3, ("sollte", "sollten"), ("sollte", "sollten"), False
)
WILL = Modal(("will",) * 3, ("wird", "werden"), ("wird", "werden"), False)
_WANT = Modal(
    ("wants to", "want to", "want to"), *(("will", "wollen"),) * 2, True
)
_COULD = Modal(("could",) * 3, *(("konnte", "konnten"),) * 2, False)
_HAD_TO = Modal(
    ("had to", "had to", "have to"), *(("musste", "mussten"),) * 2, True
)
_WANTED = Modal(
    ("wanted to", "wanted to", "want to"), *(("wollte", "wollten"),) * 2, True
)

MODALS = {
    "habit": (_MUST, _CAN, _WANT),
    "past": (_COULD, _HAD_TO, _WANTED),
    "future": (_MUST, _CAN, _SHOULD, WILL, WILL, _WANT),
}

RELATIONS = (
    Relation(
        *("because", "weil"),
        ("state", "rain", "event", "reason", "reason"),
        ("habit", "past", "future"),
    ),
    Relation(
        *("although", "obwohl"),
        ("state", "rain", "event"),
        ("habit", "past", "future"),
    ),
    Relation("while", "während", ("lasting",), ("habit", "past", "future")),
    Relation("before", "bevor", ("event",), ("habit", "past", "future")),
    Relation("after", "nachdem", ("event",), ("past",)),
    Relation("when", "als", ("moment",), ("past",)),
    Relation("when", "wenn", ("moment",), ("habit", "future")),
    Relation("if", "wenn", ("state", "rain"), ("habit", "future")),
)

THE = Determiner("the", "", "definite", False)
THE_PLURAL = Determiner("the", "", "definite", True)
A = Determiner("a", "ein", "mixed", False)
THIS = Determiner("this", "dies", "weak", False)
THESE = Determiner("these", "dies", "weak", True)
MANY = Determiner("many", "viel", "strong", True)
SOME = Determiner("some", "einig", "strong", True)
NUMBERS = tuple(
    Determiner(english, german, "bare", True)
    for english, german in (
        ("two", "zwei"),
        ("three", "drei"),
        ("four", "vier"),
        ("five", "fünf"),
    )
)
BARE = Determiner("", "", "bare", False)
NO = Determiner("no", "kein", "mixed", True)
NOT_A = Determiner("a", "kein", "mixed", False)
NOT_ANY = Determiner("", "kein", "mixed", False)
MY = Determiner("my", "mein", "mixed", False)
OUR = Determiner("our", "unser", "mixed", False)

POSSESSIVES = {
    "he": Determiner("his", "sein", "mixed", False),
    "she": Determiner("her", "ihr", "mixed", False),
    "they": Determiner("their", "ihr", "mixed", False),
    "we": OUR,
}
SUBJECT_PRONOUNS = {"he": "er", "she": "sie", "they": "sie", "we": "wir"}
OBJECT_PRONOUNS = {"m": "ihn", "f": "sie", "n": "es"}

# Endings by case, then by gender ("p": plural).
DEFINITE = {
    "nom": {"m": "der", "f": "die", "n": "das", "p": "die"},
    "acc": {"m": "den", "f": "die", "n": "das", "p": "die"},
    "dat": {"m": "dem", "f": "der", "n": "dem", "p": "den"},
}
DETERMINER_ENDINGS = {
    "mixed": {
        "nom": {"m": "", "f": "e", "n": "", "p": "e"},
        "acc": {"m": "en", "f": "e", "n": "", "p": "e"},
        "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
    },
    "strong": {
        "nom": {"m": "er", "f": "e", "n": "es", "p": "e"},
        "acc": {"m": "en", "f": "e", "n": "es", "p": "e"},
        "dat": {"m": "em", "f": "er", "n": "em", "p": "en"},
    },
}
ADJECTIVE_ENDINGS = {
    "weak": {
        "nom": {"m": "e", "f": "e", "n": "e", "p": "en"},
        "acc": {"m": "en", "f": "e", "n": "e", "p": "en"},
        "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
    },
    "mixed": {
        "nom": {"m": "er", "f": "e", "n": "es", "p": "en"},
        "acc": {"m": "en", "f": "e", "n": "es", "p": "en"},
        "dat": {"m": "en", "f": "en", "n": "en", "p": "en"},
    },
    "strong": DETERMINER_ENDINGS["strong"],
}
