"""Texts with wildcards: `*` for any characters or none, `?` for exactly one.

A pattern is cut at its asterisks into runs, and each run is looked for once, behind the one before: the first place where it fits
is as good as any later one.  So no pattern takes more than its length times the text's, however its asterisks stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from instep.domain.policy.variables import Context, Part, Template, Variable, Verbatim

_COLONS_OF_AN_ARN = 5


class Wildcard(Enum):
    ANY = auto()
    ONE = auto()


Piece: TypeAlias = str | Variable | Wildcard
"""Of a pattern taken apart; `str` is data by now."""


@dataclass(frozen=True, slots=True)
class Run:
    """What stands between two asterisks: `length` characters, of which `known` are settled: texts, and where in the run.

    `plain` is the run's text, where it has no `?`.
    """

    length: int
    known: tuple[tuple[int, str], ...]
    plain: str | None

    def fits(self, text: str, at: int) -> bool:
        if self.plain is not None:
            return text.startswith(self.plain, at)
        return all(text.startswith(known, at + offset) for offset, known in self.known)


Glob: TypeAlias = tuple[Run, ...]
"""Runs with an asterisk between each two; never empty."""


def search(runs: Glob, text: str) -> tuple[bool, int]:
    """Whether `runs` match all of `text`, and how many characters were compared, at most.

    The count is what this module's promise is about.
    """
    first, last = runs[0], runs[-1]
    steps = first.length
    if len(runs) == 1:
        return len(text) == first.length and first.fits(text, 0), steps
    here, end = first.length, len(text) - last.length
    if here > end or not first.fits(text, 0):
        return False, steps
    steps += last.length
    if not last.fits(text, end):
        return False, steps
    for run in runs[1:-1]:
        found, compared = _find(run, text, here, end)
        steps += compared
        if found < 0:
            return False, steps
        here = found + run.length
    return True, steps


def _find(run: Run, text: str, start: int, end: int) -> tuple[int, int]:
    """The first place of `run` within text[start:end], or -1, and how many characters were compared, at most."""
    places = range(start, end - run.length + 1)
    if run.plain is not None:
        found = text.find(run.plain, start, end)
    else:
        found = next((place for place in places if run.fits(text, place)), -1)
    tried = len(places) if found < 0 else found - start + 1
    return found, tried * run.length


@dataclass(frozen=True, slots=True)
class _Ends:
    """A segment of one asterisk and no `?`, as most with wildcards are: what stands before it and behind it."""

    before: str
    behind: str
    length: int

    def fits(self, text: str) -> bool:
        return len(text) >= self.length and text.startswith(self.before) and text.endswith(self.behind)


@dataclass(frozen=True, slots=True)
class _Changing:
    """A segment with variables, which is made into runs for each request."""

    pieces: tuple[Piece, ...]
    ignore_case: bool


_Segment: TypeAlias = str | _Ends | Glob | _Changing
"""Ready to match with; `str` where there is neither wildcard nor variable."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A text with wildcards, and with variables where its document knows them; compiled once.

    `arn`: pattern and text are cut at their first five colons and the six segments matched each on its own, so that no asterisk
    reaches over into the next segment.  The last segment may hold more colons.
    """

    text: str
    variables: bool
    ignore_case: bool = False
    arn: bool = False
    segments: tuple[_Segment, ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def of(cls, text: str, *, variables: bool, ignore_case: bool = False) -> Pattern:
        """Raises ValueError where a variable is begun but is none."""
        template = Template.of(text.lower() if ignore_case else text, variables=variables)
        return cls(text, variables, ignore_case, segments=(_compiled(_pieces(template.parts), ignore_case=ignore_case),))

    @classmethod
    def of_arn(cls, text: str, *, variables: bool, pad: bool = False) -> Pattern:
        """A pattern for ARNs; `*` alone matches whatever there is.

        `pad`: segments missing at the end are asterisks, as they are in a Resource element; otherwise a pattern of fewer than six
        segments matches nothing.  Raises ValueError where a variable is begun but is none.
        """
        segments = _segments(_pieces(Template.of(text, variables=variables).parts))
        if pad:
            segments += ((Wildcard.ANY,),) * (_COLONS_OF_AN_ARN + 1 - len(segments))
        return cls(text, variables, arn=True, segments=tuple(_compiled(segment, ignore_case=False) for segment in segments))

    def matches(self, text: str, context: Context) -> bool:
        """Whether all of `text` fits.  Nothing fits a variable that has no value, or several, in `context`."""
        if not self.arn:
            return _fits(self.segments[0], text.lower() if self.ignore_case else text, context)
        if self.text == "*":
            return True
        parts = text.split(":", _COLONS_OF_AN_ARN)
        if len(parts) <= _COLONS_OF_AN_ARN or len(self.segments) <= _COLONS_OF_AN_ARN:
            return False
        # From behind, as the last segment tells most resources apart.
        return all(_fits(self.segments[number], parts[number], context) for number in (5, 4, 3, 2, 1, 0))

    @property
    def template(self) -> Template:
        """The text and its variables, for those who explain; wildcards are plain text in it."""
        return Template.of(self.text, variables=self.variables)


def _fits(segment: _Segment, text: str, context: Context) -> bool:
    if isinstance(segment, str):
        return segment == text
    if isinstance(segment, _Ends):
        return segment.fits(text)
    if isinstance(segment, _Changing):
        pieces = _resolved(segment, context)
        if pieces is None:
            return False
        return search(glob(pieces), text)[0]
    return search(segment, text)[0]


def _resolved(segment: _Changing, context: Context) -> list[str | Wildcard] | None:
    """The pieces with this request's values in place of variables, or None when one has no value."""
    resolved: list[str | Wildcard] = []
    for piece in segment.pieces:
        if isinstance(piece, Variable):
            value = piece.resolve(context)
            if value is None:
                return None
            resolved.append(value.lower() if segment.ignore_case else value)
        else:
            resolved.append(piece)
    return resolved


def _pieces(parts: Iterable[Part]) -> tuple[Piece, ...]:
    """Wildcards told apart from the text around them; only text as written has any."""
    pieces: list[Piece] = []
    for part in parts:
        match part:
            case Verbatim():
                pieces.append(part.text)
            case Variable():
                pieces.append(part)
            case str():
                pieces.extend(wildcards(part))
    return tuple(pieces)


def wildcards(text: str) -> Iterable[str | Wildcard]:
    """`text` with its wildcards told apart from the rest."""
    start = 0
    for at, character in enumerate(text):
        if character in "*?":
            if at > start:
                yield text[start:at]
            yield Wildcard.ANY if character == "*" else Wildcard.ONE
            start = at + 1
    if start < len(text):
        yield text[start:]


def _segments(pieces: Iterable[Piece]) -> tuple[tuple[Piece, ...], ...]:
    """`pieces` cut at the first five colons.  Those in the names of variables do not count."""
    segments: list[list[Piece]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            segments[-1].append(piece)
            continue
        head, *rest = piece.split(":", _COLONS_OF_AN_ARN + 1 - len(segments))
        segments[-1].append(head)
        segments.extend([text] for text in rest)
    return tuple(tuple(segment) for segment in segments)


def _compiled(pieces: Sequence[Piece], *, ignore_case: bool) -> _Segment:
    settled = [piece for piece in pieces if not isinstance(piece, Variable)]
    if len(settled) < len(pieces):
        return _Changing(tuple(pieces), ignore_case)
    texts = [piece for piece in settled if isinstance(piece, str)]
    if len(texts) == len(settled):
        return "".join(texts)
    runs = glob(settled)
    plain = [run.plain for run in runs if run.plain is not None]
    if len(runs) == len(plain) == 2:
        return _Ends(plain[0], plain[1], len(plain[0]) + len(plain[1]))
    return runs


def glob(pieces: Iterable[str | Wildcard]) -> Glob:
    """The runs between the asterisks among `pieces`."""
    runs: list[Run] = []
    known: list[tuple[int, str]] = []
    length = 0
    for piece in pieces:
        if piece is Wildcard.ANY:
            runs.append(_run(length, known))
            known, length = [], 0
        elif piece is Wildcard.ONE:
            length += 1
        elif isinstance(piece, str):
            known.append((length, piece))
            length += len(piece)
    runs.append(_run(length, known))
    return tuple(runs)


def _run(length: int, known: Sequence[tuple[int, str]]) -> Run:
    settled = "".join([text for _, text in known])
    return Run(length, tuple(known), settled if len(settled) == length else None)
