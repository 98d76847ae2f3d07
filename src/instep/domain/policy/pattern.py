"""Texts with wildcards and variables: `*` for any characters or none, `?` for exactly one, `${…}` for what a request brings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from instep.domain import arn as arns
from instep.domain.policy.glob import Glob, Run, Wildcard, cut, glob, run, search, wildcards
from instep.domain.policy.variables import Context, Part, Template, Variable, Verbatim

Piece: TypeAlias = str | Variable | Wildcard
"""Of a pattern taken apart; `str` is data by now."""

_Pieces: TypeAlias = tuple[Piece, ...]


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
    """A segment with variables.  Those of its `runs` that have any are made for each request with the text `before` and `behind`.

    `least`: characters that a text must have, were the variables' values empty.
    """

    runs: tuple[Run | _Pieces, ...]
    variables: tuple[Variable, ...]
    ignore_case: bool
    before: str
    behind: str
    least: int

    @classmethod
    def of(cls, pieces: _Pieces, *, ignore_case: bool) -> _Changing:
        first, last = pieces[0], pieces[-1]
        before, behind = first if isinstance(first, str) else "", last if isinstance(last, str) else ""
        least = sum(len(piece) if isinstance(piece, str) else piece is Wildcard.ONE for piece in pieces)
        variables = tuple(piece for piece in pieces if isinstance(piece, Variable))
        return cls(tuple(map(_settled, cut(pieces))), variables, ignore_case, before, behind, least)

    def fits(self, text: str, context: Context) -> bool:
        # Of a long list most are told apart by this, and it costs a tenth of the rest.
        if not (text.startswith(self.before) and text.endswith(self.behind)):
            return False
        runs = _resolved(self, context, len(text) - self.least)
        return runs is not None and search(runs, text)[0]

    def settled(self, context: Context) -> bool:
        return all(variable.resolve(context) is not None for variable in self.variables)


_Segment: TypeAlias = str | _Ends | Glob | _Changing
"""Ready to match with; `str` where there is neither wildcard nor variable."""

_ANYTHING = _Ends("", "", 0)


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
        folded = text.lower() if ignore_case else text
        if "$" not in folded:
            segment = _written(folded)
        else:
            segment = _compiled(_pieces(Template.of(folded, variables=variables).parts), ignore_case=ignore_case)
        return cls(text, variables, ignore_case, segments=(segment,))

    @classmethod
    def of_arn(cls, text: str, *, variables: bool, pad: bool = False) -> Pattern:
        """A pattern for ARNs; `*` alone matches whatever there is.

        `pad`: segments missing at the end are asterisks, as they are in a Resource element; otherwise a pattern of fewer than six
        segments matches nothing.  Raises ValueError where a variable is begun but is none.
        """
        if "$" not in text:
            segments = [_written(segment) for segment in arns.segments(text)]
        else:
            pieces = _pieces(Template.of(text, variables=variables).parts)
            segments = [_compiled(segment, ignore_case=False) for segment in _segments(pieces)]
        if pad:
            segments += [_ANYTHING] * (arns.SEGMENTS - len(segments))
        return cls(text, variables, arn=True, segments=tuple(segments))

    def matches(self, text: str, context: Context) -> bool:
        """Whether all of `text` fits.  Nothing fits a variable that has no value, or several, in `context`."""
        if not self.arn:
            return _fits(self.segments[0], text.lower() if self.ignore_case else text, context)
        if self.text == "*":
            return True
        parts = arns.segments(text)
        if len(parts) < arns.SEGMENTS or len(self.segments) < arns.SEGMENTS:
            return False
        # From behind, as the last segment tells most resources apart.
        return all(_fits(self.segments[number], parts[number], context) for number in (5, 4, 3, 2, 1, 0))

    def settled(self, context: Context) -> bool:
        """Whether each of its variables has a value."""
        return all(segment.settled(context) for segment in self.segments if isinstance(segment, _Changing))

    @property
    def template(self) -> Template:
        """The text and its variables, for those who explain; wildcards are plain text in it."""
        return Template.of(self.text, variables=self.variables)

    @property
    def pieces(self) -> tuple[_Pieces, ...]:
        """What each segment is made of, for those who estimate; segments that are not written are not in it."""
        pieces = _pieces(self.template.parts)
        return _segments(pieces) if self.arn else (pieces,)


def _fits(segment: _Segment, text: str, context: Context) -> bool:
    if isinstance(segment, str):
        return segment == text
    if isinstance(segment, _Ends):
        return segment.fits(text)
    if isinstance(segment, _Changing):
        return segment.fits(text, context)
    return search(segment, text)[0]


def _resolved(segment: _Changing, context: Context, room: int) -> Glob | None:
    """The runs with this request's values in place of variables.

    None when one has no value, and when they are longer than `room` together: then no text that leaves so much room can fit.
    """
    resolved: list[Run] = []
    if room < 0:
        return None
    for settled in segment.runs:
        if isinstance(settled, Run):
            resolved.append(settled)
            continue
        pieces: list[str | Wildcard] = []
        for piece in settled:
            if isinstance(piece, Variable):
                value = piece.resolve(context)
                if value is None or len(value) > room:
                    return None
                if segment.ignore_case:
                    # Never shorter than before.
                    value = value.lower()
                room -= len(value)
                pieces.append(value)
            else:
                pieces.append(piece)
        resolved.append(run(pieces))
    return tuple(resolved)


def _settled(pieces: Sequence[Piece]) -> Run | _Pieces:
    """The run that `pieces` are, unless there are variables among them."""
    settled = [piece for piece in pieces if not isinstance(piece, Variable)]
    return run(settled) if len(settled) == len(pieces) else tuple(pieces)


def _pieces(parts: Iterable[Part]) -> _Pieces:
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


def _segments(pieces: Iterable[Piece]) -> tuple[_Pieces, ...]:
    """`pieces` cut at the first five colons.  Those in the names of variables do not count."""
    segments: list[list[Piece]] = [[]]
    for piece in pieces:
        if not isinstance(piece, str):
            segments[-1].append(piece)
            continue
        head, *rest = piece.split(":", arns.SEGMENTS - len(segments))
        segments[-1].append(head)
        segments.extend([text] for text in rest)
    return tuple(tuple(segment) for segment in segments)


def _written(text: str) -> _Segment:
    """The segment that a text is in which nothing but wildcards can stand.  Most are only one, or have none."""
    if text == "*":
        return _ANYTHING
    if "*" not in text and "?" not in text:
        return text
    return _compiled(tuple(wildcards(text)), ignore_case=False)


def _compiled(pieces: _Pieces, *, ignore_case: bool) -> _Segment:
    settled = [piece for piece in pieces if not isinstance(piece, Variable)]
    if len(settled) < len(pieces):
        return _Changing.of(pieces, ignore_case=ignore_case)
    texts = [piece for piece in settled if isinstance(piece, str)]
    if len(texts) == len(settled):
        return "".join(texts)
    runs = glob(settled)
    plain = [run.plain for run in runs if run.plain is not None]
    if len(runs) == len(plain) == 2:
        return _Ends(plain[0], plain[1], len(plain[0]) + len(plain[1]))
    return runs
