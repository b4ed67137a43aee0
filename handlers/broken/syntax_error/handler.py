r"""Broken: a parenthesis is never closed. Every load fails alike; nothing but a new archive helps.

    torch-model-archiver --model-name syntax_error --version 1.0 --export-path model_store \
        --handler handlers/broken/syntax_error/handler.py
"""


class Handler:
    """Would answer every request with its length."""

    def initialize(self, context):
        self.limits = dict(longest=4096, shortest=1

    def handle(self, data, context):
        return [len(row.get("data") or row.get("body") or b"") for row in data]
