"""Secrets never get through; what an operator needs stays."""

from __future__ import annotations

import pytest

from ts_retry_ext.judge.failure import Cause, Failure, Frame, Phase
from ts_retry_ext.judge.redact import MASK, redact, redacted, secret_values

GONE = [
    ("https://user:s3cr3t-pw@git.example.com/x.git", "s3cr3t-pw", "git.example.com"),
    ("redis://:hunter2hunter2@cache:6379/0", "hunter2hunter2", "cache:6379"),
    ("postgresql+psycopg2://app:p%40ss/w0rd@db/x", "p%40ss/w0rd", "@db/x"),
    ("https://ghp_abcdefghijklmnopqrstuvwxyz0123456789@github.com/a/b", "abcdefghijklmnopqrstuvwxyz0123456789", "github.com/a/b"),
    ("Authorization: Bearer abc.def-123456", "abc.def-123456", "Authorization"),
    ("headers={'Authorization': 'Basic dXNlcjpwYXNz0000'}", "dXNlcjpwYXNz0000", "headers"),
    ("AKIAIOSFODNN7EXAMPLE is not valid", "IOSFODNN7EXAMPLE", "is not valid"),
    ("aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI", "aws_secret_access_key"),
    ("token hf_AbCdEfGhIjKlMnOpQrStUvWxYz is invalid", "AbCdEfGhIjKlMnOpQrStUvWxYz", "is invalid"),
    ("key=AIzaSyA1234567890abcdefghijklmnopqrstuvw", "SyA1234567890", "AIza"),
    ("xoxb-123456789012-abcdefghij", "123456789012", "xoxb-"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N", "dozjgNryP4J3jVmNHl0w5N", "eyJ"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA PRIVATE KEY-----\nafter", "MIIEow", "after"),
    ("-----BEGIN PRIVATE KEY-----\nMIIEow cut", "MIIEow", "BEGIN PRIVATE KEY"),
    ("AccountName=x;AccountKey=Zm9vYmFyYmF6cXV4;EndpointSuffix=core", "Zm9vYmFyYmF6cXV4", "EndpointSuffix=core"),
    ("GET /k?X-Amz-Signature=0123abcd4567&X-Amz-Date=20240101", "0123abcd4567", "X-Amz-Date=20240101"),
    ('{"password": "correct horse battery"}', "correct horse battery", "password"),
    ("connect(user='a', password='b0unty!!x')", "b0unty!!x", "user='a'"),
    ("MY_SERVICE_TOKEN: abcdef123456", "abcdef123456", "MY_SERVICE_TOKEN"),
]  # fmt: skip

STAYS = [
    "https://huggingface.co/org/model/resolve/main/config.json",
    "Can't load tokenizer for 'x'. token must not be None",
    "special_tokens_map.json and tokenizer.json are missing",
    "KeyError: 'state_dict'",
    'password authentication failed for user "app"',
    "Make sure to pass a token having permission to this repo either by logging in with `hf auth login`",
    'Unexpected key(s) in state_dict: "bn1.running_mean"',
    "/home/model-server/tmp/models/0123456789abcdef0123456789abcdef/model.pt",
    "pad_token_id=0, eos_token: </s>",
]


@pytest.mark.parametrize(("text", "secret", "kept"), GONE)
def test_a_secret_is_gone_and_its_surroundings_stay(text: str, secret: str, kept: str) -> None:
    shown = redact(text)
    assert secret not in shown
    assert MASK in shown
    assert kept in shown


@pytest.mark.parametrize("text", STAYS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_a_key_that_is_called_a_token_is_masked_once() -> None:
    assert redact("token: hf_AbCdEfGhIjKlMnOpQrStUvWx") == f"token: hf_{MASK}"


def test_redacting_twice_changes_nothing_more() -> None:
    for text, _, _ in GONE:
        assert redact(redact(text)) == redact(text)


def test_values_of_secret_looking_variables_are_found() -> None:
    environ = {
        "DB_PASSWORD": "hunter2!",
        "MY_TOKEN": "tok-1234567890",
        "TOKENIZERS_PARALLELISM": "false",
        "API_KEY_FILE": "/run/secrets/key",
        "SECRET_KEY": "short",
        "HOME": "/root",
        "PIN_TOKEN": "123456",
        "SECRET_PATH": "somewhere",
    }
    assert secret_values(environ) == ("tok-1234567890", "hunter2!")


def test_every_text_of_a_failure_is_redacted() -> None:
    secret = "tok-1234567890"
    failure = Failure(
        type="ValueError",
        message=secret,
        phase=Phase.IMPORT,
        notes=(secret,),
        chain=(Cause("E", secret, notes=(secret,), filename=secret, remedy=secret),),
        frames=(Frame(f"/x/{secret}/a.py", "f"),),
        traceback=secret,
        filename=secret,
        remedy=secret,
    )
    assert secret not in repr(redacted(failure, (secret,)))
