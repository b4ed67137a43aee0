"""A long-running observer of one server: snapshot, actions, metrics, HTTP and a page.

Needs the libraries of the extra ``sidecar``. `ts_retry_ext.sidecar.lifetime` starts it.
"""
