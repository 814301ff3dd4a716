"""Composition: fills the outline of a clause with words."""

from s2s_keras.data.clause_grammar import adverbials
from s2s_keras.data.clause_grammar import lexicon
from s2s_keras.data.clause_grammar import phrases
from s2s_keras.data.clause_grammar import predicates
from s2s_keras.data.clause_grammar import vocabulary
from s2s_keras.data.clause_grammar.clauses import Clause
from s2s_keras.data.clause_grammar.clauses import Gap
from s2s_keras.data.clause_grammar.clauses import Outline
from s2s_keras.data.clause_grammar.phrases import GERMAN_COMMA
from s2s_keras.data.clause_grammar.phrases import Referent
from s2s_keras.data.clause_grammar.phrases import relative_pronoun


def compose(draft, outline):
    """Composes a clause in which something happens."""
    verb = draft.pick_new(verb_options(draft, outline))
    clause = Clause(outline, verb)
    add_subject(draft, clause, verb.subjects)
    tense, modal = predicates.choose_tense(draft, clause)
    clause.negation = predicates.choose_negation(draft, clause)
    add_objects(draft, clause)
    predicates.negate(clause)
    add_adverbials(draft, clause)
    if draft.frame != "future" and not modal:
        adverbials.add_frequency(draft, clause)
    predicates.add_verb(draft, clause, tense, modal)
    return clause


def compose_state(draft, outline):
    """Composes "she was tired"."""
    clause = Clause(outline)
    add_subject(draft, clause, vocabulary.PERSON)
    state = draft.pick_unused(lexicon.STATES)
    clause.put("predicate", draft.linked(state, lexicon.STATES[state]))
    if draft.random() < 0.15:
        clause.negation = draft.link()
    predicates.add_copula(draft, clause)
    predicates.negate(clause)
    return clause


def compose_weather(draft):
    """Composes "it rained" or "it was dark"."""
    rains = draft.random() < 0.5
    clause = Clause(Outline(), draft.pick(lexicon.RAIN) if rains else None)
    clause.referent = Referent(None, False)
    clause.put("subject", draft.linked("it", "es"))
    if rains:
        past = draft.frame == "past"
        predicates.add_verb(draft, clause, "past" if past else "present", None)
    else:
        state = draft.pick_unused(lexicon.CONDITIONS)
        clause.put("predicate", draft.linked(state, lexicon.CONDITIONS[state]))
        predicates.add_copula(draft, clause)
    return clause


def verb_options(draft, outline):
    """Returns the verbs that an outline leaves to choose from."""
    subject = outline.subject or outline.missing("subject")
    thing = outline.antecedent or outline.missing("object", "place")
    verbs = vocabulary.verbs_for(
        outline.shape,
        draft.frame,
        subject and subject.noun,
        thing and thing.noun,
        outline.object_clauses > 0 and outline.shape != "resting",
    )
    if outline.place:
        return [v for v in verbs if v.name in outline.place.purposes]
    return verbs


def add_subject(draft, clause, kinds):
    outline = clause.outline
    missing = outline.missing("subject")
    if missing:
        clause.referent = missing
    elif not outline.subject:
        _add_subject_phrase(draft, clause, kinds)
    elif outline.tense != "infinitive":
        pronoun = outline.subject.pronoun
        german = lexicon.SUBJECT_PRONOUNS[pronoun]
        clause.put("subject", draft.linked(pronoun, german))


def _add_subject_phrase(draft, clause, kinds):
    clauses = clause.outline.subject_clauses
    nouns = vocabulary.nouns_for(kinds, kin=not clauses)
    noun = draft.pick_new(nouns)
    phrase, determiner = _describe(
        draft, clause, noun, "nom", "subject", clauses
    )
    doubled = not clauses and _is_doubled(draft)
    if doubled:
        second = draft.pick_new(nouns)
        other, _ = _describe(draft, clause, second, "nom", "subject")
        phrase = phrase + draft.linked("and", "und") + other
    clause.put("subject", phrase)
    clause.referent = Referent(noun, doubled or determiner.plural)


def _is_doubled(draft):
    """Tells whether "and" should join a second noun to the first."""
    return draft.random() < 0.35 * draft.richness


def _describe(draft, clause, noun, case, role, clauses=0):
    """Composes a noun phrase with its relative clause of some clauses."""
    possessor = None if clauses else clause.referent
    determiner = phrases.choose_determiner(draft, noun, role, possessor)
    if clauses and determiner in (lexicon.BARE, lexicon.NOT_ANY):
        determiner = lexicon.THE
    phrase = phrases.noun_phrase(draft, noun, case, determiner, clause.negation)
    if clauses:
        referent = Referent(noun, determiner.plural)
        phrase = phrase + relative_clause(draft, referent, clauses)
    return phrase, determiner


def add_objects(draft, clause):
    """Adds what the verb governs."""
    outline = clause.outline
    missing, clauses = outline.missing("object"), outline.object_clauses
    match clause.verb.pattern:
        case ("dat", "acc"):
            _add_both(draft, clause, missing, clauses)
        case ("acc",) if not missing:
            _add_accusative(draft, clause, clauses)
        case ("dat",) if not missing:
            clause.put("dative", _person(draft, clause, "dat", clauses))
        case (german, case) if not missing:
            phrase = draft.linked(clause.verb.particle, german)
            person = _person(draft, clause, case, clauses)
            clause.put("oblique", phrase + person)


def _add_both(draft, clause, missing, clauses):
    """Adds a dative and an accusative, in one of two English orders."""
    late = missing or clause.outline.antecedent or clause.verb.particle
    late = late or draft.random() < 0.5
    if not (missing and missing.is_person):
        phrase = _person(draft, clause, "dat", clauses if late else 0)
        clause.put("dative", phrase)
        if late:
            to = ("to", phrase.german[0][1])
            clause.english["late dative"] = [to, *clause.english.pop("dative")]
        if missing:
            return
    _add_accusative(draft, clause, 0 if late else clauses)


def _add_accusative(draft, clause, clauses):
    antecedent = clause.outline.antecedent
    if antecedent:
        clause.put("pronoun", phrases.object_pronoun(draft, antecedent))
        return
    role = "negated" if clause.negation else "object"
    if role == "object" and "state" in clause.verb.traits:
        role = "definite"
    noun = _object_noun(draft, clause, clauses)
    phrase, determiner = _describe(draft, clause, noun, "acc", role, clauses)
    clause.determiner = determiner
    clause.put("accusative", phrase)
    if clause.negation:
        return
    if "person" not in noun.kinds:
        clause.antecedent = Referent(noun, determiner.plural)
    if not clauses and clause.verb.pattern == ("acc",) and _is_doubled(draft):
        _double_object(draft, clause, role, noun)


def _double_object(draft, clause, role, first):
    noun = _object_noun(draft, clause)
    if noun is first:
        return
    other, _ = _describe(draft, clause, noun, "acc", role)
    clause.extend("accusative", draft.linked("and", "und") + other)
    clause.antecedent = None
    clause.particle_first = True


def _object_noun(draft, clause, clauses=0):
    kinds = clause.verb.objects
    if draft.frame == "habit" and "rare" in clause.verb.traits:
        kinds = vocabulary.DAILY & kinds
    return draft.pick_new(vocabulary.nouns_for(kinds, kin=not clauses))


def _person(draft, clause, case, clauses):
    noun = draft.pick_new(
        vocabulary.nouns_for(vocabulary.PERSON, kin=not clauses)
    )
    role = "definite" if clause.negation else "subject"
    return _describe(draft, clause, noun, case, role, clauses)[0]


def add_adverbials(draft, clause):
    outline = clause.outline
    if clause.verb.pattern == ("to",):
        adverbials.add_direction(draft, clause)
    elif outline.shape == "resting":
        place = Referent(adverbials.add_place(draft, clause).noun, False)
        relative = relative_clause(draft, place, outline.object_clauses)
        clause.extend("place", relative)
    elif not outline.object_clauses:
        adverbials.add_circumstance(draft, clause)


def relative_clause(draft, referent, clauses):
    """Composes a relative clause, which holds some clauses in all."""
    role = "object"
    if "place" in referent.noun.kinds:
        role = "place"
    elif referent.is_person:
        role = draft.pick(("subject", "subject", "object"))
    if clauses > 1:
        role = "subject"
    past = draft.frame == "past" and draft.random() < 0.4
    outline = Outline(
        tense="pluperfect" if past else "plain",
        gap=Gap(role, referent),
        object_clauses=clauses - 1,
    )
    state = role == "subject" and clauses == 1 and draft.random() < 0.15
    clause = (compose_state if state else compose)(draft, outline)
    pronoun = relativizer(draft, clause)
    return GERMAN_COMMA + pronoun + clause.final() + GERMAN_COMMA


def relativizer(draft, clause):
    """Composes a relative pronoun, with the preposition before it."""
    role, referent = clause.outline.gap
    person = referent.is_person
    if role == "subject":
        pronoun = relative_pronoun("nom", referent)
        return draft.linked("who" if person else "that", pronoun)
    if role == "place":
        place = lexicon.PLACES[referent.noun.english]
        case, preposition = "dat", draft.linked(place.english, place.german)
    elif clause.verb.is_oblique:
        german, case = clause.verb.pattern
        preposition = draft.linked(clause.verb.particle, german)
    elif person and clause.verb.pattern == ("dat", "acc"):
        return draft.linked("to whom", relative_pronoun("dat", referent))
    else:
        pronoun = relative_pronoun(clause.verb.pattern[-1], referent)
        return draft.linked("whom" if person else "that", pronoun)
    pronoun = relative_pronoun(case, referent)
    return preposition + draft.linked("whom" if person else "which", pronoun)
