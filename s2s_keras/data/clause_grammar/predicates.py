"""Predicates: tense, modals, negation and the forms of the verb."""

from s2s_keras.data.clause_grammar import lexicon
from s2s_keras.data.clause_grammar.phrases import words

MOVABLE_PARTICLES = frozenset(["up", "back", "along"])
MODAL_CHANCES = {"past": 0.25, "habit": 0.2, "future": 1}


def choose_tense(draft, clause):
    """Returns the tense and the modal (or None) of a clause."""
    tense, verb = clause.outline.tense, clause.verb
    if tense == "infinitive":
        return tense, None
    plain = "past" if draft.frame == "past" else "present"
    fixed = not verb.traits.isdisjoint(("state", "that"))
    if tense == "pluperfect" and not fixed:
        return tense, None
    modal = tense == "main" and not fixed
    modal = modal and draft.random() < MODAL_CHANCES[draft.frame]
    # "The women read" would be present or past.
    same = verb.english == verb.past
    if same and plain == "past" and clause.referent.plural:
        modal = True
    if modal and "chance" in verb.traits:
        return plain, lexicon.WILL if draft.frame == "future" else None
    return plain, draft.pick(lexicon.MODALS[draft.frame]) if modal else None


def choose_negation(draft, clause):
    """Returns the link of a negation, or nothing."""
    outline = clause.outline
    event = outline.shape in ("event", "resting")
    if not event or outline.tense not in ("main", "plain"):
        return ()
    if outline.question or outline.gap and "state" not in clause.verb.traits:
        return ()
    return draft.link() if draft.random() < 0.13 else ()


def negate(clause):
    """Adds "nicht", unless "kein" negates, and forgets "not" beside "no"."""
    if clause.negation and clause.determiner not in lexicon.NEGATIVE:
        clause.german["negation"] = [("nicht", clause.negation)]
    if clause.determiner is lexicon.NO:
        clause.negation = ()


def add_verb(draft, clause, tense, modal):
    """Adds the verb forms of both languages."""
    verb = clause.verb
    simple = tense == "present" or tense == "past" and verb.preterite
    simple = simple and not modal
    lexical = particle = draft.link()
    auxiliary = lexical if simple else draft.link()
    if verb.particle and not verb.is_oblique:
        particle = _add_particle(draft, clause)
    _put_english(clause, *_english(clause, tense, modal, lexical, auxiliary))
    if simple:
        _add_simple(clause, tense, lexical, particle)
    elif tense == "infinitive":
        _add_infinitive(verb, clause, lexical + particle, auxiliary)
    else:
        _add_compound(clause, tense, modal, lexical + particle, auxiliary)


def add_copula(draft, clause):
    """Adds "is" or "was"."""
    past, plural = draft.frame == "past", clause.referent.plural
    link = draft.link()
    english = (("is", "are"), ("was", "were"))[past][plural]
    german = (("ist", "sind"), ("war", "waren"))[past][plural]
    _put_english(clause, [(english, link)], [])
    _close(clause, (german, link), [])


def _add_particle(draft, clause):
    link, particle = draft.link(), clause.verb.particle
    # A pronoun comes before "up", but after "at".
    loose = "pronoun" not in clause.english and draft.random() < 0.5
    early = clause.particle_first or clause.outline.object_clauses or loose
    early = early or particle not in MOVABLE_PARTICLES
    clause.english["early particle" if early else "particle"] = [
        (particle, link)
    ]
    return link


def _english(clause, tense, modal, lexical, auxiliary):
    """Returns the auxiliary and the rest of the English verb."""
    verb, plural = clause.verb, clause.referent.plural
    rest = [(verb.english, lexical)]
    if tense == "infinitive":
        return [], [("to", auxiliary), *rest]
    if tense == "pluperfect":
        return [("had", auxiliary)], [(verb.participle, lexical)]
    if modal and not modal.has_support:
        return words(modal.english[plural], auxiliary), rest
    if clause.negation or clause.outline.question:
        do = "did" if tense == "past" else ("does", "do")[plural]
        base = words(modal.english[2], auxiliary) if modal else []
        return [(do, auxiliary)], [*base, *rest]
    if modal:
        return [], [*words(modal.english[plural], auxiliary), *rest]
    if tense == "past":
        return [], [(verb.past, lexical + auxiliary)]
    return [], rest if plural else [(verb.third, lexical)]


def _put_english(clause, auxiliary, rest):
    """Puts "not" behind the auxiliary, and asks with it in front."""
    negation = clause.negation
    if negation and auxiliary[0][0] == "can":
        auxiliary = [("cannot", auxiliary[0][1] + negation)]
    elif negation:
        auxiliary = [*auxiliary, ("not", negation)]
    asks = clause.outline.question
    clause.english["inverted auxiliary" if asks else "auxiliary"] = auxiliary
    clause.english["verb"] = rest


def _close(clause, finite, closing):
    """Sets a finite verb that comes second, or last after `closing`."""
    clause.german["finite"] = [finite]
    clause.german["end"] = closing
    clause.german["final"] = [*closing, finite]


def _add_simple(clause, tense, lexical, particle):
    """Sets a single verb form, whose prefix parts in a main clause."""
    verb, plural = clause.verb, clause.referent.plural
    finite = verb.infinitive if plural else verb.german_third
    if tense == "past":
        finite = verb.preterite + "n" * plural
    whole = lexical + particle
    clause.german["final"] = [(verb.prefix + finite, whole)]
    clause.german["finite"] = [(finite, lexical if verb.prefix else whole)]
    if verb.prefix:
        clause.german["end"] = [(verb.prefix, particle)]


def _add_infinitive(verb, clause, whole, zu):
    final = [("zu", zu), (verb.infinitive, whole)]
    if verb.prefix:
        final = [(f"{verb.prefix}zu{verb.infinitive}", whole + zu)]
    clause.german["final"] = final


def _add_compound(clause, tense, modal, whole, auxiliary):
    """Sets an auxiliary or modal and what it governs."""
    verb, form = clause.verb, clause.verb.infinitive
    if modal:
        finite = modal.negated if clause.negation else modal.german
    else:
        helper = "sein" if "sein" in verb.traits else "haben"
        finite = lexicon.AUXILIARIES[helper][tense]
        form = verb.german_participle
    closing = [(verb.prefix + form, whole)]
    _close(clause, (finite[clause.referent.plural], auxiliary), closing)
