"""Secrets that are known by the name before them: `password=…`, `'X-Auth-Token', '…'`, `--api-key …`.

A name decides how much its value has to look like a secret: a password can be any word, while a token
or a signature is taken for one only if it looks drawn at random. What reads like a sentence ("password:
missing required field"), a type or a number stays, since an operator needs it.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from typing import Callable

from ts_retry_ext.judge.secret_formats import MASK
from ts_retry_ext.judge.secret_likeness import (
    IDENTIFIER,
    LONGER_THAN_WORDS,
    PROSE,
    is_harmless,
    looks_random,
)

#: Names whose value is a secret whatever it looks like.
_PLAIN = (
    r"pass(?:word|wd|phrase|code)|(?<![A-Za-z])(?:pass|pwd|pw)|(?-i:(?<=[a-z])P(?:ass|wd))|secret(?:[_-]?(?:access)?[_-]?key)?"
    r"|(?:access|api|account|shared|auth|private|secret|signing|encryption|master|license|licence|service|sas|ssh|deploy|subscription)[_-]?key(?:[_-]?id)?"
    r"|client[_-]?secret|connection[_-]?string|app[_-]?secret"
)
#: Names whose value is a secret if it looks drawn at random.
_RANDOM = (
    r"(?<!eos_)(?<!bos_)(?<!unk_)(?<!pad_)(?<!sep_)(?<!cls_)(?<!mask_)token|credentials?|auth|authorization"
    r"|jwt|session[_-]?id|cookie|x-amz-signature|x-amz-security-token|x-amz-credential|x-goog-signature|x-goog-credential"
)
#: What stands between a name and its value: a sign of its own, a YAML tag or block, a line's end.
_SIGN = r"(?:\\{0,3}[\"'])?\s{0,4}(?:=>|:=|=|:)\s{0,8}(?:!!\w{1,10} |[|>][+-]?\n\s{1,20})?"
_OPEN = r"(?:Secret\w{0,10}\()?(?:\\{0,3}(?:[bfru]{0,2}[\"'])|\{)?"
_VALUE = r"[^\s\"'&,;}{)\]<>\\]{4,4000}"
_QUOTED = r"\"[^\"\n]{4,4000}\"|'[^'\n]{4,4000}'"

#: The end of a name, asked of the characters before a sign: looking for signs first is ten times as fast.
_NAME = rf"(?:(?P<plain>{_PLAIN})|(?P<random>{_RANDOM}))\Z"
_NAME_LENGTH = 40
_SIGNED = rf"(?<=\w){_SIGN}"
_VALUE_BEHIND_SIGN = rf"(?P<quoted>(?:Secret\w{{0,10}}\()?[bfru]{{0,2}}(?:{_QUOTED}))|(?P<open>{_OPEN})(?P<value>{_VALUE})"
#: A pair of a name and a value in a tuple: `('X-Auth-Token', '…')`, `auth=('user', '…')`.
_COMMA = r"(?<=\w)[\"'],\s{0,4}[bru]{0,2}[\"']"
_NAME_OF_PAIR = rf"(?:{_PLAIN}|{_RANDOM}|key|\b(?:auth|BasicAuth|HTTPBasicAuth|HTTPDigestAuth|credentials)\s?=?\s?\(\s?[bru]{{0,2}}[\"'][^\"'\n]{{0,80}})\Z"
_VALUE_OF_PAIR = r"[^\"'\n]{4,4000}"
_ELEMENT = rf"(?P<head><[\w\-.:]{{0,60}}?(?:{_PLAIN}|{_RANDOM})(?: [^<>\n]{{0,200}})?>\s{{0,4}}(?:<!\[CDATA\[)?)(?P<value>[^<>\s\]]{{4,4000}})"
_FLAG = rf"(?P<head>(?<![\w\-])--?[\w\-]{{0,40}}?(?:{_PLAIN}|{_RANDOM})\s{{1,4}}[\"']?)(?P<value>(?!-)[^\s\"']{{4,4000}})"
#: Flags of well-known programs: the secret stands behind a user's name, or without a blank.
_PROGRAM = (
    r"(?P<head>\bcurl\b[^\n]{0,400}?\s(?:-u|--user|-U|--proxy-user)[ =]?[\"']?[^\s:\"']{0,100}:"
    r"|\b(?:mysql\w{0,20}|mariadb\w{0,20}|mongo\w{0,20})\b[^\n]{0,400}?\s-p(?=\S)|\bsshpass\s+-p\s?[\"']?"
    r"|\bredis-cli\b[^\n]{0,200}?\s-a\s+[\"']?|\b(?:docker|podman|helm|az|oc|skopeo) (?:registry )?login\b[^\n]{0,200}?\s-p\s+[\"']?"
    r"|\b(?:log[io]n|connect|sqlplus|oracle)\b[^\n/]{0,60}?[\s:][\w$#]{1,60}/(?=[^\s/@]{4,200}@))"
    r"(?P<value>[^\s\"'@]{4,400})"
)
#: A value that its own class hides, or an element of XML that has the name beside it.
_WRAPPED = (
    rf"(?P<head>\bSecret(?:Str|Bytes|String|Value)?\([bru]{{0,2}}[\"']|\b(?:key|name)=[\"'][\w\-.]{{0,60}}?(?:{_PLAIN}|{_RANDOM})[\"'] value=[\"'])"
    r"(?P<value>[^\"'\n]{4,4000})"
)
#: `Authorization: SCHEME value`, to the end of the line or of its quotes.
_HEADER = (
    r"(?P<head>\b(?:proxy-)?authorization(?:\\{0,3}[\"'])?\s{0,4}[:=,]\s{0,4}(?:\\{0,3}[bru]{0,2}[\"'])?(?:[A-Za-z][\w\-]{1,30} {1,4})?)"
    r"(?P<value>[^\n\"'\\]{6,8000})"
    r"|(?P<scheme>\b(?:bearer|basic|negotiate)\s{1,4})(?P<bare>[^\s'\",;\\]{8,8000})"
)
_COOKIE = r"(?P<head>\b(?:set-)?cookies?(?:\\{0,3}[\"'])?\s{0,4}[:=]\s{0,4}(?:\\{0,3}[\"'])?)(?P<value>[\w\-.]{1,80}=[^\n\"']{4,8000}|\{[^{}\n]{8,8000}\})"
#: The signature of a signed URL (Azure, AWS, Google): whatever it looks like, who has it may use the URL.
_SIGNATURE = r"(?P<head>[?&](?:sig|x-(?:amz|goog)-(?:signature|security-token))=)(?P<value>[^\s&#'\"<>]{4,4000})"
#: Other parameters of a URL.
_PARAMETER = r"(?P<head>[?&#;,](?:key|code|sig|signature|token|auth|[\w\-]{0,40}[_-](?:key|token|signature|credential))=)(?P<value>[^\s&#'\"<>]{4,4000})"
#: A secret in a sentence: `with password X`, `API key provided: X`, `api_key not configured, got X`.
_SENTENCE = (
    r"(?P<head>\b(?:password|passphrase|pass ?code|secret|api[ _-]?key|access[ _-]?key|token|aws_\w{3,40})(?: (?:for|of) \w{1,40}| \w{1,12}ed)?"
    r"(?:\s?[:=]\s?| is | was |, got | got |: got | )[\"'`]?(?:not \w{1,20}, got )?[\"'`]?)(?P<value>[^\s\"'`,;)]{6,4000})"
)


@lru_cache(maxsize=None)
def _form(pattern: str) -> re.Pattern[str]:
    """Compile a form at its first use; case does not count."""
    return re.compile(pattern, re.IGNORECASE)


def _substituted(pattern: str, shown: Callable[[re.Match[str]], str], text: str) -> str:
    return _form(pattern).sub(shown, text)


def _masked(match: re.Match[str]) -> str:
    return f"{match.group('head')}{MASK}"


def _masked_value(match: re.Match[str]) -> str:
    value = match.group("value")
    return match.group() if is_harmless(value) else f"{match.group('head')}{MASK}"


def _random_value(match: re.Match[str]) -> str:
    value = match.group("value")
    return f"{match.group('head')}{MASK}" if looks_random(value) else match.group()


def _header(match: re.Match[str]) -> str:
    bare = match.group("bare")
    if bare is not None:
        return f"{match.group('scheme')}{MASK}" if looks_random(bare) else match.group()
    value = match.group("value").replace(MASK, "").strip()
    first = value.split(" ", 1)[0]
    if (
        not looks_random(value)
        or first.lower().rstrip(".,:") in PROSE
        or IDENTIFIER.fullmatch(value)
    ):
        return match.group()
    return f"{match.group('head')}{MASK}"


def _behind_signs(text: str) -> str:
    """Mask what stands behind a name and a sign: `password=…`."""
    parts, done = [], 0
    for sign in _form(_SIGNED).finditer(text):
        name = None
        if sign.start() >= done:
            name = _form(_NAME).search(text, max(0, sign.start() - _NAME_LENGTH), sign.start())
        found = _form(_VALUE_BEHIND_SIGN).match(text, sign.end()) if name else None
        if name is None or found is None or not _is_secret(name, found, text):
            continue
        parts += [text[done : sign.end()], found.group("open") or "", MASK]
        done = found.end()
    return "".join((*parts, text[done:]))


def _is_secret(name: re.Match[str], found: re.Match[str], text: str) -> bool:
    quoted = found.group("quoted")
    value = quoted.strip("\"'bfru") if quoted else found.group("value")
    if is_harmless(value):
        return False
    if name.group("random"):
        return looks_random(value) or bool(quoted and len(value) >= 8 and value.isalnum())
    if quoted or not value.isalpha() or len(value) >= LONGER_THAN_WORDS:
        return True
    # A word that another follows begins a sentence: `secret: Required value`.
    follows = text[found.end() : found.end() + 2]
    return not (follows[:1] == " " and follows[1:].isalpha())


def _behind_commas(text: str) -> str:
    """Mask the second of a pair whose first is a name: `('X-Auth-Token', '…')`."""
    parts, done = [], 0
    for comma in _form(_COMMA).finditer(text):
        name = _form(_NAME_OF_PAIR).search(
            text, max(done, comma.start() - 3 * _NAME_LENGTH), comma.start()
        )
        found = _form(_VALUE_OF_PAIR).match(text, comma.end()) if name else None
        if found is None or is_harmless(found.group()):
            continue
        parts += [text[done : comma.end()], MASK]
        done = found.end()
    return "".join((*parts, text[done:]))


def _in_sentence(match: re.Match[str]) -> str:
    value = match.group("value").rstrip(".,:")
    needed = 16 if match.group("head").lower().startswith("token") else 6
    mixed = any(char.isdigit() for char in value) and any(char.isalpha() for char in value)
    if (
        len(value) < needed
        or not mixed
        or is_harmless(value)
        or any(char in value for char in "/()[]{}<>=")
    ):
        return match.group()
    return f"{match.group('head')}{MASK}{match.group('value')[len(value) :]}"


_WORDS = (
    *("pass", "pw", "secret", "key", "token", "credential", "auth", "jwt", "session", "cookie"),
    *("signature", "connection", "x-amz", "x-goog"),
)
_PROGRAMS = ("curl", " -p", "redis-cli", "login", "logon", "connect", "sqlplus", "oracle")

#: Words without which a form does not occur, and what masks it; in this order.
_FORMS: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    (("authorization", "bearer", "basic", "negotiate"), partial(_substituted, _HEADER, _header)),
    (("cookie",), partial(_substituted, _COOKIE, _masked)),
    (_PROGRAMS, partial(_substituted, _PROGRAM, _masked_value)),
    (("sig", "x-amz"), partial(_substituted, _SIGNATURE, _masked)),
    (("?", "&", "#", ";"), partial(_substituted, _PARAMETER, _random_value)),
    (("secret", "value="), partial(_substituted, _WRAPPED, _masked_value)),
    (("',", '",'), _behind_commas),
    (("</", "]]>"), partial(_substituted, _ELEMENT, _masked_value)),
    (("-",), partial(_substituted, _FLAG, _masked_value)),
    (_WORDS, _behind_signs),
    (_WORDS, partial(_substituted, _SENTENCE, _in_sentence)),
)


def without_named_secrets(text: str) -> str:
    """Return a text in which the values behind names of secrets are masked."""
    lowered = text.lower()
    for hints, mask in _FORMS:
        if any(hint in lowered for hint in hints):
            text = mask(text)
    return text
