"""Tell which lines can be no part of an exception's message: what another logger, thread or process writes."""

from __future__ import annotations

import re

#: What the worker script writes when it begins (0.12.0 model_service_worker.py; older ones write fewer).
_BEGINNING = re.compile(
    r"^(?:INFO > )?(?:\[PID\]\d+|Torch worker started\.|Listening on (?:port|addr:port): .*|Python runtime: [\d.]+\S*"
    r"|Connection accepted: .*|model_name: .*, batchSize: -?\d+|s_name_part0=.*|handle_connection(?:_async)?)$"
)
_FOREIGN = re.compile(
    r"""(?x)^(?:
      [\[(<]?\d{4}[-/]\d\d[-/]\d\d[T\ _]\d\d:\d\d                     # a date and a time
    | [\[(]?\d\d:\d\d:\d\d[,.\])\s]                                   # a time
    | (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\ [\w ]{1,8}\ \d\d:\d\d
    | [\[(]?(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)(?:[\]):|,]|\s+-|\s+\[|\s+\d|\ >|\s{2,}|$)
    | (?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|CRITICAL)\s             # a level
    | [IWEFD]\d{4}\ \d\d:\d\d:\d\d | \[[IWEF]\d*\s                    # glog, c10
    | \[(?!Errno|SQL|parameters|Previous|SSL|\d+/\d+)[\w./:@\-\ ]{1,80}\]:?\s+\S   # [rank1] …, [Gloo] …
    | \([\w\ .:=,\-]{1,80}(?:pid|rank|ip)=[^)]{1,80}\)                # Ray, vLLM
    | [a-z][\w.\-]{1,40}(?:\[\d+\])?:\s                               # wandb: …, ts-retry: …
    | [\w.\-]{1,80}:\d{1,10}:\d{1,10}\s+\[\d+\]\ NCCL                 # NCCL
    | \S{1,300}\.(?:py|pyx|cc|cpp|cu|c|h):\d+:?\s                     # a warning, and where
    | [^%]{0,200}\b\d{1,3}%\|                                          # tqdm
    | Sentry\ is\ attempting | Waiting\ up\ to\ \d | Press\ Ctrl         # Sentry, at the end of a process
    | Exception\ (?:ignored\ in|in\ thread)\b | Error\ in\ (?:atexit|sys\.excepthook) | ---\ Logging\ error\ ---
    | Task\ exception\ was\ never\ retrieved | Process\ [\w\-:]{1,80}:$ | Thread\ 0x | Current\ thread\ 0x
    | Fatal\ Python\ error | Frontend\ disconnected | Backend\ (?:worker|received) | Failed\ to\ load\ model\ .*,\ exception\ | Load\ model\ .*\ (?:cpu|cuda)\ OOM
    | \[METRICS\] | Worker\ (?:disconnected|died) | ={20,}$ | -{20,}$
    | ``` | ~~~ | \$\s | \#\s | >>>\s | [\w.\-]{1,40}@[\w.\-]{1,80}:\S{0,200}[$\#]
    | (?:java|javax|io|org|sun|com)\.[\w.$]{1,200}(?:Exception|Error)\b | Caused\ by:\s
    )"""
)
#: Messages of the interpreter's own exceptions (CPython 3.8 to 3.13), which have one line.
_MADE_BY_PYTHON = re.compile(
    r"""(?x)^(?:\w+\.)*(?:
      (?:ModuleNotFound|Import)Error:\ (?:No\ module\ named\ \S+ | cannot\ import\ name\ .+\))$
    | \w*Error:\ \[Errno\ -?\d+\]\ [^:]+(?::\ (?:b?'[^']*'|"[^"]*"|\d+)(?:\ ->\ '[^']*')?)?$
    | KeyError:\ (?:'[^']*'|"[^"]*"|-?\d+|\(.*\))$
    | (?:Syntax|Indentation|Tab)Error:\ .*$
    | NameError:\ name\ '\w+'\ is\ not\ defined\b.*$
    | AttributeError:\ (?:'[\w.]+'\ object|module\ '[\w.]+'|type\ object\ '\w+')\ has\ no\ attribute\ '\w+'.*$
    | IndexError:\ \w+(?:\ assignment)?\ index\ out\ of\ range$
    | ZeroDivisionError:\ .*$
    | TypeError:\ .*(?:positional\ arguments?|keyword\ argument|required\ .*argument|object\ is\ not\ \w+|unsupported\ operand).*$
    | UnicodeDecodeError:\ .*$
    | json\.decoder\.JSONDecodeError:\ .*$
    | FileNotFoundError:\ .*'$
    )"""
)
#: Only these make a line that is indented foreign.
_FOREIGN_INDENTED = re.compile(r"^\s+(?:at [\w.$/]{1,300}\(|\.\.\. \d+ more$)")


def is_whole_message(line: str) -> bool:
    """Tell whether an exception's first line is its whole message: Python itself made it, in one line."""
    return _MADE_BY_PYTHON.match(line) is not None


def is_of_new_process(line: str) -> bool:
    """Tell whether a worker process writes a line when it begins, so that what stood above is another's."""
    return _BEGINNING.match(line) is not None


def is_foreign(line: str) -> bool:
    """Tell whether a line that follows an exception is none of its message, by how it begins."""
    if line[:1] in " \t":
        return _FOREIGN_INDENTED.match(line) is not None
    return _FOREIGN.match(line) is not None
