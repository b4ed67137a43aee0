"""Which models take a server out of rotation: the rule of ``/readyz``."""

from __future__ import annotations

from ts_retry_ext.settings import ALL_MODELS, ANY_MODEL
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.snapshot.model import ModelStatus


def in_the_way(picture: Picture, ready_when: str) -> tuple[ModelStatus, ...]:
    """Return the models that are down and keep a server from being ready.

    Args:
        picture: what was seen.
        ready_when: ``all``: every model counts. ``any``: every one counts until each has served once,
            so that a rollout with a broken model stops; then they count only if no other serves, so
            that one broken model does not take the sound ones out in every pod. Else the names of
            the models that count, divided by commas.
    """
    down = picture.down_by_default
    if ready_when == ALL_MODELS:
        return down
    if ready_when != ANY_MODEL:
        return tuple(model for model in down if model.model in names_in(ready_when))
    others = [model for model in picture.models if not model.is_down]
    return down if picture.starting or not others else ()


def awaited(picture: Picture, ready_when: str) -> tuple[ModelStatus, ...]:
    """Return the models that have to serve once before a server is ready."""
    if ready_when in (ALL_MODELS, ANY_MODEL):
        return picture.starting
    return tuple(model for model in picture.starting if model.model in names_in(ready_when))


def names_in(ready_when: str) -> tuple[str, ...]:
    """Return the names that a list holds."""
    return tuple(filter(None, (name.strip() for name in ready_when.split(","))))
