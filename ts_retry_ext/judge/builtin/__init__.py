"""The built-in rules in their order.

Each topic is a module with up to five tuples, and the order across topics is by tuple:

0. `FIRST`: what no other row may judge (a process that died has no text of its own).
1. `FATAL_IN_DISGUISE`: final failures that look like a network or a throttling (a certificate
   inside "Max retries exceeded", a proxy that wants a password).
2. `RECOVERABLE_IN_DISGUISE`: failures a retry can cure that look final (a connection lost behind
   "is not a valid model identifier", a quota behind a 403).
3. `RULES`: everything that says plainly what it is, topic by topic.
4. `FALLBACKS`: the weakest evidence, mostly bare exception types.

So a row can rely on every row of an earlier group having been asked. First match wins.

A topic with `CAUSE_LIES_OUTSIDE` is of causes with somebody else: an account, a store, a server, a device, the source of
a configuration. They can end without a change of the model or its environment. So can what only a row of `FALLBACKS`
knows: the value that the code did not take can be a service's answer. A topic with `ABOUT_WEIGHTS` is of what a model
loads: if its archive holds none of that, somebody else can put the right file in the place of the wrong one.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from ts_retry_ext.judge.builtin import (
    addresses,
    binary_interfaces,
    brokers,
    caches,
    calls,
    configuration,
    credentials,
    credentials_refused,
    database_connections,
    database_refusals,
    databases,
    device,
    device_faults,
    directories,
    failed_connections,
    file_rights,
    file_systems,
    files,
    frameworks,
    hub_names,
    hubs,
    imported_names,
    imports,
    licenses,
    memory,
    model_formats,
    model_libraries,
    native_libraries,
    network,
    other_formats,
    package_versions,
    processes,
    python_calls,
    python_code,
    query_engines,
    rpc,
    serialization,
    server_refusals,
    services,
    shared_libraries,
    store_trouble,
    stores,
    tensors,
    tokenizers,
    torchserve_handlers,
    trust,
    vector_stores,
    versions,
    weights,
)
from ts_retry_ext.judge.rule import Rule

#: Topics; inside one group an earlier topic is asked first.
TOPICS: tuple[ModuleType, ...] = (
    imports,
    imported_names,
    python_code,
    python_calls,
    memory,
    trust,
    versions,
    shared_libraries,
    native_libraries,
    binary_interfaces,
    package_versions,
    licenses,
    credentials,
    credentials_refused,
    store_trouble,
    stores,
    database_refusals,
    databases,
    database_connections,
    caches,
    brokers,
    directories,
    vector_stores,
    query_engines,
    rpc,
    calls,
    server_refusals,
    services,
    hubs,
    hub_names,
    model_libraries,
    weights,
    serialization,
    model_formats,
    tokenizers,
    other_formats,
    addresses,
    network,
    failed_connections,
    device,
    tensors,
    device_faults,
    frameworks,
    torchserve_handlers,
    configuration,
    file_systems,
    file_rights,
    files,
    processes,
)
#: What the source of a built-in rule begins with; the topic follows.
BUILTIN_SOURCE = "built-in:"
GROUPS = ("FIRST", "FATAL_IN_DISGUISE", "RECOVERABLE_IN_DISGUISE", "RULES", "FALLBACKS")


def _assembled() -> tuple[Rule, ...]:
    rules: list[Rule] = []
    for group in GROUPS:
        for topic in TOPICS:
            source = BUILTIN_SOURCE + topic.__name__.rpartition(".")[2]
            outside = group == "FALLBACKS" or getattr(topic, "CAUSE_LIES_OUTSIDE", False)
            weights = getattr(topic, "ABOUT_WEIGHTS", False)
            rules += [
                replace(rule, source=source, may_end_elsewhere=outside, about_weights=weights)
                for rule in getattr(topic, group, ())
            ]
    return tuple(rules)


BUILTIN_RULES: tuple[Rule, ...] = _assembled()
