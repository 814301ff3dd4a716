"""Pictures of a model while it trains."""

import pathlib

import keras
import tensorflow as tf

from s2s_keras.plotting import plot_attention
from s2s_keras.plotting import plot_learning_curves
from s2s_keras.training.log import read_rows


class EpochPictures(keras.callbacks.Callback):
    """Shows after each epoch how a model learns, translates and attends.

    Writes, below `folder/pictures`, the learning curves (`curves.png`), and
    for each epoch some translations (`epoch_01.txt`) with their attention
    (`epoch_01_1.png`); TensorBoard shows the translations and the attention
    from `folder/tensorboard`.

    Args:
        text_translator: `TextTranslator` around the model that trains.
        pairs: `tf.data.Dataset` of scalar strings (source_text, target_text),
            the few sentences to show.
        folder: Folder with the `log.csv` of a `CSVLogger`, which should come
            before this callback.
    """

    def __init__(self, text_translator, pairs, folder):
        super().__init__()
        self.text_translator = text_translator
        self.pairs = [
            [side.decode(errors="replace") for side in pair]
            for pair in pairs.as_numpy_iterator()
        ]
        self.folder = pathlib.Path(folder)

    def on_train_begin(self, logs=None):
        self.writer = tf.summary.create_file_writer(
            str(self.folder / "tensorboard" / "samples")
        )
        (self.folder / "pictures").mkdir(parents=True, exist_ok=True)

    def on_epoch_end(self, epoch, logs=None):
        pictures = self.folder / "pictures"
        rows = read_rows(self.folder)
        plot_learning_curves(rows).savefig(pictures / "curves.png")
        translations = self.text_translator.translate(
            [source for source, _ in self.pairs], num_beams=1
        )
        name = f"epoch_{epoch + 1:02}"
        shown = [
            f"source       {source}\ntranslation  {translation}\n"
            f"reference    {reference}\n"
            for (source, reference), translation in zip(
                self.pairs, translations, strict=True
            )
        ]
        (pictures / f"{name}.txt").write_text("\n".join(shown))
        with self.writer.as_default(step=epoch):
            for i, (text, translation) in enumerate(
                zip(shown, translations, strict=True), 1
            ):
                tf.summary.text(f"sample_{i}", f"```\n{text}```")
                if translation.attention is not None:
                    path = pictures / f"{name}_{i}.png"
                    plot_attention(translation).savefig(path)
                    image = tf.io.decode_png(tf.io.read_file(str(path)))
                    tf.summary.image(f"attention_{i}", image[None])

    def on_train_end(self, logs=None):
        self.writer.close()
