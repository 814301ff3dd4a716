"""Trains a model as PyTorch's translation tutorial teaches it.

https://pytorch.org/tutorials/intermediate/seq2seq_translation_tutorial.html:
`nn.GRU`, additive attention and a Python loop over the target's tokens, at the
sizes of this comparison, in batches.
"""

import sys

import torch
from common import Windows
from common import read_batches
from torch import nn

VOCABULARY_SIZE, EMBEDDING_DIM, UNITS = 8000, 256, 512
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY_SIZE, EMBEDDING_DIM)
        self.gru = nn.GRU(
            EMBEDDING_DIM, UNITS // 2, batch_first=True, bidirectional=True
        )

    def forward(self, source_ids):
        memory, state = self.gru(self.embedding(source_ids))
        return memory, torch.cat([state[0], state[1]], dim=-1)[None]


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query = nn.Linear(UNITS, UNITS)
        self.keys = nn.Linear(UNITS, UNITS)
        self.score = nn.Linear(UNITS, 1)

    def forward(self, query, memory, mask):
        keys = self.keys(memory)
        scores = self.score(torch.tanh(self.query(query) + keys))[..., 0]
        weights = scores.masked_fill(~mask, -1e9).softmax(dim=-1)
        return torch.bmm(weights[:, None], memory)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY_SIZE, EMBEDDING_DIM)
        self.attention = Attention()
        self.gru = nn.GRU(EMBEDDING_DIM + UNITS, UNITS, batch_first=True)
        self.logits = nn.Linear(UNITS, VOCABULARY_SIZE)

    def forward(self, target_ids, memory, mask, state):
        tokens = self.embedding(target_ids)
        outputs = []
        for i in range(target_ids.shape[1]):
            query = state.permute(1, 0, 2)
            context = self.attention(query, memory, mask)
            inputs = torch.cat([tokens[:, i : i + 1], context], dim=2)
            output, state = self.gru(inputs, state)
            outputs.append(output)
        return self.logits(torch.cat(outputs, dim=1))


def main(folder, updates):
    encoder, decoder = Encoder().to(DEVICE), Decoder().to(DEVICE)
    weights = [*encoder.parameters(), *decoder.parameters()]
    optimizer = torch.optim.Adam(weights, lr=1e-3)
    loss_function = nn.CrossEntropyLoss(ignore_index=0, label_smoothing=0.1)
    windows = Windows()
    for batch in read_batches(folder, updates):
        source_ids, target_ids, label_ids = (
            torch.from_numpy(ids).to(DEVICE) for ids in batch
        )
        memory, state = encoder(source_ids)
        logits = decoder(target_ids, memory, source_ids != 0, state)
        loss = loss_function(logits.flatten(0, 1), label_ids.flatten().long())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        loss.item()  # waits for the device
        windows.add(batch[2])
    windows.report()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
