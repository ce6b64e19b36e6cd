"""Which names people may give: those that others can read, and that clients can ask for."""

import unicodedata

_JOINERS = "\u200c\u200d"
"""Invisible, but part of how Persian, Hindi or an emoji is written."""

_UNREADABLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs", "Co", "Cn"})


def problem_of_text(text: str) -> str:
    """Return what is wrong with a label of one line, empty if nothing is.

    Control characters and line breaks break lists, mails and logs; characters that change the
    direction of writing make one name look like another.
    """
    for letter in text:
        if unicodedata.category(letter) in _UNREADABLE and letter not in _JOINERS:
            return (
                f"The character U+{ord(letter):04X} can't be used: no line breaks, control "
                "characters, or characters that change the direction of writing."
            )
    return ""


def problem_of_name(text: str) -> str:
    """Return what is wrong with a name that stands in addresses, empty if nothing is.

    Clients and proxies tidy ``.``, ``..`` and doubled slashes away before they ask.
    """
    if found := problem_of_text(text):
        return found
    if text != text.strip():
        return "A name neither begins nor ends with a space."
    parts = text.split("/")
    if "" in parts:
        return "A name neither begins nor ends with a slash, nor has two in a row."
    if {".", ".."} & set(parts):
        return "No part of a name between slashes may be . or .. : clients tidy them away."
    return ""
