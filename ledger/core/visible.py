"""Texts of others as people may be shown them: nothing in them moves a cursor or turns a line around."""

import unicodedata

# Control characters, marks that nobody sees (those that turn the direction among them), halves of surrogate
# pairs, and the two line ends of Unicode.
_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
# They join the parts of an emoji and the letters of several scripts, and do nothing else.
_JOINERS = "\u200c\u200d"


def visible(text: str, *, keep: str = "") -> str:
    r"""The text with everything that cannot be seen escaped, as in `\x1b`; characters in `keep` stay.

    What can be seen stays as it is, whatever the script.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character in keep or not _is_unseen(character) else _escaped(character)
        for character in text
    )


def _is_unseen(character: str) -> bool:
    return unicodedata.category(character) in _UNSEEN and character not in _JOINERS


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
