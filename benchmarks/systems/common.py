"""What the systems have in common: reading batches, timing windows."""

import json
import pathlib
import re
import resource
import time

import numpy as np

WINDOW = 10  # updates
WARM_UP = 10


def read_batches(folder, updates):
    """Batches of (source_ids, target_ids, label_ids), `[batch, length]`."""
    with np.load(f"{folder}/batches.npz") as arrays:
        return [
            tuple(
                arrays[f"{name}_{i}"]
                for name in ("source_ids", "target_ids", "label_ids")
            )
            for i in range(updates)
        ]


class Windows:
    """Counts target tokens a second over windows of updates."""

    def __init__(self):
        self.rates, self._tokens, self._updates = [], 0, -WARM_UP
        self._started = time.perf_counter()

    def add(self, label_ids):
        self._updates += 1
        self._tokens += int((label_ids != 0).sum())
        if self._updates == 0 or self._updates == WINDOW:
            now = time.perf_counter()
            if self._updates:
                self.rates.append(self._tokens / (now - self._started))
            self._started, self._tokens, self._updates = now, 0, 0

    def report(self):
        print_report(self.rates)


def print_report(rates):
    """Prints the windows, and the peak of this process or its children."""
    # The process's own maximum in `resource` would count its parent's.
    status = pathlib.Path("/proc/self/status").read_text()
    own = int(re.search(r"VmHWM:\s+(\d+)", status)[1])
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak = max(own, children) / 1024
    print(json.dumps({"windows": rates, "peak_megabytes": peak}))


# (batch_size, num_beams, number of sentences) that translation is timed with.
SEARCHES = ((64, 1, 1000), (64, 5, 1000), (1, 1, 200), (1, 5, 200))


def every(sentences, count):
    """`count` of the sentences, of all lengths."""
    count = min(count, len(sentences))
    return [sentences[i * len(sentences) // count] for i in range(count)]


def report_search(batch_size, num_beams, translations, num_tokens, seconds):
    """What `translation.py` reads, of one way to search."""
    return {
        "batch_size": batch_size,
        "num_beams": num_beams,
        "translations": translations,
        "sentences_per_second": len(translations) / seconds,
        "tokens_per_sentence": num_tokens / len(translations),
    }
