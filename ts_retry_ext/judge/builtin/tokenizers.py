"""Tokenizers' files: empty, damaged, or of another version."""

from __future__ import annotations

from ts_retry_ext.judge.builtin.lines import any_of
from ts_retry_ext.judge.builtin.table import ambiguous, fatal
from ts_retry_ext.judge.damaged_file import TOKENIZERS
from ts_retry_ext.judge.rule import When

ABOUT_WEIGHTS = True
_SINCE = "2026-11-23"

RULES = (
    ambiguous(
        "json-empty",
        When(
            message=r"^eof while parsing a (?:value|object|list|string) at line \d+ column \d+$",
            path="shared",
        ),
        "A JSON file is empty or cut; in a shared place another process may be writing it.",
        "Look whether something downloads or copies it; else delete it so that it is fetched again.",
        since=_SINCE,
    ),
    ambiguous(
        "json-empty-unnamed",
        When(message=r"^eof while parsing a value at line 1 column 0$"),
        "A JSON file is empty, and the text does not say which; another process may be writing it.",
        "Look at tokenizer.json; delete an empty one in a cache so that it is fetched again, or pack the archive again.",
        since=_SINCE,
    ),
    fatal(
        "tokenizer-file-damaged",
        When(
            exact_type=("Exception",),
            message=r"at line \d+ column \d+$",
            # A page or an empty answer begins so: it may be fetched anew.
            unless=r"expected value at line 1 column [01]$|eof while parsing a value|\bresponse|\bbody\b|\brequest",
        ),
        "A file of the tokenizer is not what the installed tokenizers library reads: another version wrote it, or it is cut.",
        "Update tokenizers and transformers, or pack tokenizer.json again.",
        since="2026-11-26",
        damaged_file=TOKENIZERS,
    ),
    fatal(
        "tokenizer-file-damaged-in-library",
        When(
            message=r"at line \d+ column \d+$",
            frame=(
                "tokenizers",
                "transformers.tokenization_utils_fast",
                "transformers.tokenization_utils_tokenizers",
            ),
            unless=r"expected value at line 1 column [01]$|eof while parsing a value",
        ),
        "A file of the tokenizer is not what the installed tokenizers library reads: another version wrote it, or it is cut.",
        "Update tokenizers and transformers, or pack tokenizer.json again.",
        since="2026-11-26",
        damaged_file=TOKENIZERS,
    ),
    fatal(
        "chat-template-refuses",
        # raise_exception() of a chat template of transformers
        When(exact_type=("jinja2.exceptions.TemplateError",)),
        "The model's chat template refuses the messages that the code gives it, in its own words.",
        "Give it messages as the template wants them (many allow no role 'system', and ask for user and assistant in turn), or pack another chat_template.",
        since="2026-11-27",
    ),
    fatal(
        "tokenizer-unloadable",
        When(
            message=any_of(r"""
                # tokenizers
                data did not match any variant of untagged enum|error while initializing bpe|error while initializing wordpiece
                error while initializing unigram
                # transformers
                couldn't instantiate the backend tokenizer|tokenizer class .{1,80}(?:does not exist|is not currently imported)
                unk token .{0,60}not in the vocabulary|non-consecutive added token|unable to load vocabulary from file
                can't load the vocabulary|make sure that your vocabulary|converting from (?:tiktoken|sentencepiece)
                vocab(?:ulary)? file .{0,200}(?:does not exist|not found|missing)|can't find a vocabulary file at path
                tokenizer\.json.{0,60}(?:invalid|missing)
                # sentencepiece
                could not parse modelproto|internal: .{0,200}sentencepiece_processor\.cc|sentencepiece.{0,120}parsefromarray
                invalid model(?:proto)? file|loadfromfile .{0,40}not a string|^not a string$
                # Several
                error parsing line .{0,80}in .{0,200}tokenizer
            """)
        ),
        "The tokenizer's files do not fit the installed tokenizers library, or are damaged.",
        "Update tokenizers and transformers, or pack the tokenizer's files again.",
        since=_SINCE,
        damaged_file=TOKENIZERS,
    ),
)
