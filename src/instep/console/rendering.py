"""From a template and what it shows to a page's HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined

from instep.console.assets import Assets
from instep.console.drift_picture import DriftPicture, Observation, Sync
from instep.console.frame import Frame, Theme, Tone
from instep.console.languages import Language, Speech, stamp
from instep.console.messages import Message, drift_sentence, signed, steps_in_words

_OBSERVATIONS_SHOWN = 20


class Renderer:
    """One environment per language, as imported macros see an environment's globals but not what a page was given."""

    def __init__(self, assets: Assets, languages: Mapping[Language, Speech], *, loader: BaseLoader | None = None) -> None:
        loader = loader or templates()
        self._environments = {language: environment(assets, speech, loader) for language, speech in languages.items()}

    def page(self, template: str, frame: Frame, **values: object) -> str:
        """The page in the frame's language.  Raises UndefinedError for a name that the template uses and nobody gave."""
        return self._environments[frame.language].get_template(template).render(frame=frame, **values)


def templates() -> BaseLoader:
    return PackageLoader("instep.console")


def environment(assets: Assets, speech: Speech, loader: BaseLoader) -> Environment:
    """An environment whose templates speak one language.

    Everything is escaped, whatever a template's name ends in; only Markup, which `_` and macros return, is not.
    """
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.globals.update(
        {
            "_": speech.say,
            "asset": assets.address,
            "drift_sentence": partial(drift_sentence, speech),
            "duration": speech.duration,
            "language": speech.language,
            "languages": tuple(Language),
            "moment": speech.moment,
            "observation_rows": partial(_observation_rows, speech),
            "signed": signed,
            "stamp": stamp,
            "steps_in_words": partial(steps_in_words, speech),
            "DriftPicture": DriftPicture,
            "Message": Message,
            "Sync": Sync,
            "Theme": Theme,
            "Tone": Tone,
        }
    )
    return made


def _observation_rows(speech: Speech, observations: Sequence[Observation]) -> list[tuple[object, ...]]:
    """The newest of them as rows of a table: when, what, how many steps off, how much time."""
    newest = sorted(observations, key=lambda observation: observation.at, reverse=True)[:_OBSERVATIONS_SHOWN]
    return [(speech.moment(each.at), each.event, signed(each.steps), speech.duration(each.seconds)) for each in newest]
