"""One picture of a server and its models, from the state directory and the management API.

`ts_retry_ext.snapshot.take.take_snapshot` makes it; commands and the sidecar read it.
"""
