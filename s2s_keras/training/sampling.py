"""Scheduled sampling: training on what the decoder itself would say."""

import keras


class ScheduledSampling(keras.callbacks.Callback):
    """Feeds the decoder its own predictions, more of them every epoch.

    A decoder that only ever sees right tokens in training does not learn to
    go on after a mistake of its own. With this callback, a share of the known
    tokens is replaced by the decoder's own predictions while it trains.

    Put it before callbacks that save the model: between epochs the rate is 0,
    so that no saved model goes on sampling unasked. One that is interrupted
    within an epoch does.

    Args:
        schedule: Function from the epoch, counted from 0, to the share of
            replaced tokens, 0 to 1.

    Example:

    ```python
    translator.fit(
        batches,
        epochs=10,
        callbacks=[ScheduledSampling(lambda epoch: 0.05 * epoch)],
    )
    ```

    Reference:
        [Bengio et al., 2015](https://arxiv.org/abs/1506.03099), with the
        likeliest token as the prediction.
    """

    def __init__(self, schedule):
        super().__init__()
        self.schedule = schedule

    def on_epoch_begin(self, epoch, logs=None):
        rate = self.schedule(epoch)
        if not 0 <= rate <= 1:
            raise ValueError(
                "`schedule` should give a share from 0 to 1. "
                f"Received: schedule({epoch})={rate}"
            )
        self.model.decoder.sampling_rate.assign(rate)

    def on_epoch_end(self, epoch, logs=None):
        self.model.decoder.sampling_rate.assign(0.0)
        if logs is not None:
            logs["sampling_rate"] = self.schedule(epoch)
