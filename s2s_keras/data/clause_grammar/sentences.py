"""Sentences: main clauses, joined, with the clauses that depend on them."""

from s2s_keras.data.clause_grammar import lexicon
from s2s_keras.data.clause_grammar.adverbials import add_time
from s2s_keras.data.clause_grammar.clauses import Outline
from s2s_keras.data.clause_grammar.composition import compose
from s2s_keras.data.clause_grammar.composition import compose_state
from s2s_keras.data.clause_grammar.composition import compose_weather
from s2s_keras.data.clause_grammar.composition import verb_options
from s2s_keras.data.clause_grammar.phrases import EMPTY
from s2s_keras.data.clause_grammar.phrases import GERMAN_COMMA
from s2s_keras.data.clause_grammar.phrases import Phrase
from s2s_keras.data.clause_grammar.phrases import Referent
from s2s_keras.data.clause_grammar.vocabulary import relations_for

WE = Referent(None, True)
INNER_SLOTS = {"subject": 1, "object": 1}
MAIN_SLOTS = {"tail": 3, "subject": 2, "object": 1, "front": 3}
QUESTION_SLOTS = {"tail": 3, "subject": 2, "object": 1}
# By whether the tail is short enough for a purpose clause.
TAIL_SHAPES = {
    False: ("event", "event", "event", "that"),
    True: ("event", "event", "event", "event", "that", "motion"),
}


def compose_sentence(draft, num_clauses):
    """Composes a sentence of 1 to 8 clauses, as a `Phrase`."""
    draft.start(is_long=num_clauses > 3)
    groups = _share_groups(draft, num_clauses)
    question = len(groups) == 1 and draft.random() < 0.08
    phrase, clause = _main_clause(draft, groups[0], question=question)
    for extras in groups[1:]:
        joined, clause = _coordinate(draft, extras, clause)
        phrase = phrase + draft.linked(",", ",") + joined
    mark = "?" if question else "."
    return phrase + draft.linked(mark, mark)


def _share_groups(draft, num_clauses):
    """Deals clauses to coordinated main clauses: extras of each."""
    fewest = 1 + num_clauses // 4
    most = (num_clauses + 2) // 2
    num_groups = draft.pick(range(fewest, most + 1))
    groups = [0] * num_groups
    for _ in range(num_clauses - num_groups):
        groups[draft.pick(range(num_groups))] += 1
    return groups


def _share_extras(draft, extras, slots):
    """Deals `extras` clauses to the named slots, up to their sizes."""
    shares = dict.fromkeys(slots, 0)
    names = tuple(slots)
    while extras:
        name = draft.pick(names)
        if shares[name] < slots[name]:
            shares[name] += 1
            extras -= 1
    return shares


def _coordinate(draft, extras, previous):
    """Composes "and" or "but" with one more main clause."""
    sequel = extras == 0 and _sequel_outline(draft, previous)
    if sequel:
        clause = compose(draft, sequel)
        clause.put("front", draft.linked("then", "dann"))
        return draft.linked("and", "und") + clause.main(), clause
    options = lexicon.COORDINATORS[: 2 if "but" in draft.used else 3]
    english, german = draft.pick(options)
    draft.used.add(english)
    phrase, clause = _main_clause(draft, extras, previous.referent)
    return draft.linked(english, german) + phrase, clause


def _sequel_outline(draft, previous):
    """Outlines "then she read it" after "she bought a book", or not."""
    gain = previous.antecedent and "gain" in previous.verb.traits
    if not (gain and previous.referent.pronoun) or draft.random() >= 0.7:
        return None
    outline = Outline(
        "then",
        "main" if draft.frame == "future" else "plain",
        previous.referent,
        antecedent=previous.antecedent,
    )
    return outline if verb_options(draft, outline) else None


def _main_clause(draft, extras, topic=None, question=False):
    """Composes a main clause with all that depends on it."""
    slots = QUESTION_SLOTS if question else MAIN_SLOTS
    shares = {"front": 0, **_share_extras(draft, extras, slots)}
    shape = _main_shape(draft, shares, topic)
    before, after = _pick_relations(draft, shares, shape)
    front, is_first = EMPTY, topic is None
    if before:
        front, topic = _subordinate(draft, before, shares["front"] - 1, topic)
        front = front + draft.linked(",", ",")
    if before and before.english == "while":
        topic = None
    temporal = any(r and r.is_temporal for r in (before, after))
    if shape == "event" and temporal:
        shape = "happening"
    outline = _main_outline(draft, shape, shares, topic, question)
    clause = compose(draft, outline)
    if before:
        clause.put("front", front)
    elif is_first:
        add_time(draft, clause)
    phrase = clause.main()
    if shares["tail"]:
        phrase = phrase + _tail(draft, clause, shares["tail"] - 1, after)
        clause.antecedent = None
    return phrase, clause


def _main_shape(draft, shares, topic):
    if shares["object"] and draft.random() < 0.15:
        return "resting"
    if shares["tail"] and not shares["object"]:
        return draft.pick(TAIL_SHAPES[shares["tail"] < 3])
    if topic and draft.random() < 0.7:
        return "happening"
    return "event"


def _pick_relations(draft, shares, shape):
    """Picks the relations of the clauses in front and after, or None."""
    before = after = None
    if shares["front"]:
        before = draft.pick(relations_for(draft.frame, shares["front"] > 1))
    if shares["tail"] and shape not in ("that", "motion"):
        options = relations_for(draft.frame, shares["tail"] > 1)
        after = draft.pick(options)
        while before and after.english == before.english:
            after = draft.pick(options)
    return before, after


def _main_outline(draft, shape, shares, topic, question):
    subject = None
    if not shares["subject"] and draft.random() < (0.6 if topic else 0.04):
        subject = _pronominal(topic) if topic else WE
    return Outline(
        shape,
        "main",
        subject,
        shares["subject"],
        shares["object"],
        question=question,
    )


def _pronominal(referent):
    """Returns the referent if a pronoun can stand for it."""
    return referent if referent and referent.pronoun else None


def _tail(draft, clause, extras, relation):
    """Composes the clause that follows a main clause."""
    if relation:
        phrase, _ = _subordinate(
            draft, relation, extras, clause.referent, clause.antecedent
        )
    elif clause.outline.shape == "that":
        phrase = _complement(draft, clause.referent, extras)
    else:
        phrase = _purpose(draft, clause, extras)
    return GERMAN_COMMA + phrase


def _complement(draft, topic, extras):
    """Composes what someone says or knows: "that" with a clause."""
    shares = _share_extras(draft, extras, INNER_SLOTS)
    subject = None
    if not shares["subject"] and draft.random() < 0.4:
        subject = _pronominal(topic)
    outline = Outline("event", "main", subject, *shares.values())
    state = extras == 0 and draft.random() < 0.3
    clause = (compose_state if state else compose)(draft, outline)
    return draft.linked("that", "dass") + clause.final()


def _purpose(draft, clause, extras):
    """Composes what one goes somewhere for: "to" with an infinitive."""
    outline = Outline(
        tense="infinitive",
        subject=clause.referent,
        object_clauses=extras,
        place=clause.destination,
    )
    inner = compose(draft, outline)
    to = inner.english["verb"][0][1]
    return Phrase([], [("um", to)]) + inner.final()


def _subordinate(draft, relation, extras, topic, antecedent=None):
    """Composes a conjunction with its clause, and tells its subject."""
    clause = _subordinate_clause(draft, relation, extras, topic, antecedent)
    conjunction = draft.linked(relation.english, relation.german)
    return conjunction + clause.final(), clause.referent


def _subordinate_clause(draft, relation, extras, topic, antecedent):
    content = draft.pick(relation.contents)
    subject = _pronominal(topic) if draft.random() < 0.6 else None
    if content == "reason":
        reason = Outline(content, "plain", subject, antecedent=antecedent)
        if not (subject and antecedent and verb_options(draft, reason)):
            content = "state"
    if extras and content in ("reason", "state", "rain"):
        content = "event"
    if content == "rain":
        return compose_weather(draft)
    if content == "state":
        return compose_state(draft, Outline(subject=subject))
    if content == "reason":
        return compose(draft, reason)
    shares = _share_extras(draft, extras, INNER_SLOTS)
    if shares["subject"] or content == "lasting":
        subject = None
    outline = Outline(content, relation.tense, subject, *shares.values())
    return compose(draft, outline)
