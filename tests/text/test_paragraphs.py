import pytest
import tensorflow as tf

from s2s_keras.text.paragraphs import Paragraphs


def split(text):
    (lines,) = Paragraphs.read(tf.constant([text])).sentences.to_list()
    return [sentence.decode() for line in lines for sentence in line]


def rejoin(text):
    paragraphs = Paragraphs.read(tf.constant([text]))
    written = paragraphs.write(paragraphs.sentences.flat_values)
    return written.numpy()[0].decode()


@pytest.mark.parametrize(
    "sentences",
    [
        ["Where are you?", "I am here!", "Good."],
        ["Mr. Smith met J. R. É. Tolkien.", "They left."],
        ["Éva met É. Á. Zola, Dr. Bo.", "She left."],
        ['"Really?"', "She asked twice.", "(Yes.)", "“No.”", "Why?"],
        ["Hola.", "¿Qué tal?", "¡Bien!", "«Sí.»"],
        ["It cost 3.50 euros...", "12 men came, of example.org."],
        ["he said: ok. and left."],
        ["Nothing to split"],
        ["Привет.", "Как дела?"],
        ["La Dra. Pérez vive en EE. UU. desde 1999.", "Los Sres. García no."],
        ["Am 3. Mai kam Nr. 5, z. B. ein Hund.", "Ja.", "Am 12. Juni nicht."],
        ["I live at No. 5.", "Come on Feb. 3.", "See p. 5 and Fig. 12."],
        ["It was 1999.", "He left in May.", "Did he?", "No.", "He stayed."],
        ["هل أنت هنا؟", "نعم۔", "هذا جيد."],
        ["वह आया।", "मैं गया।"],
    ],
)
def test_sentences_are_split_and_joined_again(sentences):
    text = " ".join(sentences)
    assert split(text) == sentences
    assert rejoin(text) == text


def test_what_has_no_letters_stays():
    lines = ["1. One. 12.5!", "---", "", "(555) 123-4567 \U0001f600"]
    paragraphs = Paragraphs.read(tf.constant(["\n".join(lines), "2"]))
    sentences = paragraphs.sentences.flat_values
    written = paragraphs.write(tf.fill(tf.shape(sentences), "translated"))
    lines[0] = "1. translated 12.5!"
    assert written.numpy().tolist() == ["\n".join(lines).encode(), b"2"]


@pytest.mark.parametrize(
    "sentences",
    [
        ["今天很好。", "我们走吧！", "你呢？"],
        ["「行くの？」", "と彼は言った。", "NASAだ！？", "はい。"],
    ],
)
def test_sentences_without_spaces_between(sentences):
    text = "".join(sentences)
    assert split(text) == sentences
    assert rejoin(text) == text


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("A title\nA text", ["A title", "A text"]),
        ("One. Two.\n\nThree.\n", ["One.", "Two.", "", "Three.", ""]),
        ("\nMr. Smith\nleft.", ["", "Mr. Smith", "left."]),
    ],
)
def test_line_breaks_end_sentences_and_stay(text, sentences):
    assert split(text) == sentences
    assert rejoin(text) == text
    assert rejoin(text.replace("\n", " \r\n\t")) == text


@pytest.mark.parametrize(
    "capitals, small",
    [
        ("WHERE ARE YOU?", "Where are you?"),
        ("¿DÓNDE ESTÁS?", "¿Dónde estás?"),
        ("ÜBER 12 MÄNNER", "Über 12 männer"),
        ("I SAW DR. SMITH", "I saw dr. smith"),
        ("EL 1º DE MAYO", "El 1º de mayo"),
    ],
)
def test_capitals_are_read_as_small_letters_and_written_again(capitals, small):
    assert split(capitals) == [small]
    assert rejoin(capitals) == capitals


@pytest.mark.parametrize(
    "text",
    ["I.", "Tom lives in the USA.", "3 x 4", "你好", "他在NASA工作。"],
)
def test_other_letters_stay(text):
    assert split(text) == [text]


def test_texts_do_not_mix():
    texts = tf.constant(["A dog. A CAT.", "", "IT RAINS.\nIt snows.", " "])
    paragraphs = Paragraphs.read(texts)
    assert paragraphs.sentences.row_lengths().numpy().tolist() == [1, 1, 2, 1]
    numbered = tf.constant(["one", "two", "three", "four", "five", "six"])
    assert paragraphs.write(numbered).numpy().tolist() == [
        b"one TWO",
        b"",
        b"FOUR\nfive",
        b"",
    ]


def test_no_text():
    paragraphs = Paragraphs.read(tf.constant([], tf.string))
    assert paragraphs.write(paragraphs.sentences.flat_values).shape == [0]
